"""Personal data: found in what people write, and kept out of the store or away from the model, as the operator says."""
