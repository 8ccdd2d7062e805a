"""Values of every kind of personal data, made up for tests, and texts that only look like some."""

CARD = "4111 1111 1111 1111"
CARDS = {
    "visa": "4111111111111111",
    "visa in groups": CARD,
    "visa with dashes": "4111-1111-1111-1111",
    "visa with dots": "4111.1111.1111.1111",
    "visa of 13": "4222222222222",
    "mastercard": "5555555555554444",
    "mastercard of the new numbers": "2223 0031 2200 3222",
    "american express": "3782 822463 10005",
    "discover": "6011111111111117",
    "diners": "3056 9309 0259 04",
    "jcb": "3530111333300000",
    "unionpay": "6212 3456 7890 1232",
    "maestro": "6759649826438453",
    "wide digits": "\uff14\uff11\uff11\uff11 1111 1111 1111",
    "arabic digits": "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
    "no-break spaces": "4111\u00a01111\u00a01111\u00a01111",
    "long dashes": "4111\u20131111\u20131111\u20131111",
    "invisible letters": "4111\u200b1111\u200d1111\u20601111",
}
NO_CARDS = [
    "order 4111111111111112 of 2026-03-02",  # no check digit
    "order 1234 5678 9012 3452",  # nobody's first digits
    "parcel 00340434161094042557",  # too long
    "ref A4111111111111111 and 4111111111111111B",
    "4111 1111 1111",
    "2026-03-02 10:15:00 to 2026-03-02 11:15:00",
    "0190c3f2-4111-7111-8111-1111111111aa",
    "3.14159265358979323846",
    "<@4111111111111111110> and <#4111111111111111110> said so",
]
EMAILS = {
    "plain": "alice@example.org",
    "with a plus": "alice.b+desk@mail.example.co.uk",
    "with an apostrophe": "o'neil@example.org",
    "not latin": "\u0430\u043b\u0438\u0441\u0430@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444",
    "umlauts": "j\u00fcrgen@b\u00fccher.example",
    "wide at": "alice\uff20example.org",
    "capital": "ALICE@EXAMPLE.ORG",
}
NO_EMAILS = [
    "@alice",
    "alice@",
    "a @ b.example",
    "left-pad@1.3.0",
    "<@U123ABC>",
    "alice@localhost",
    "me@home",
    "a@b.c1",
]
IBANS = {
    "german": "DE89370400440532013000",
    "german in groups": "DE89 3704 0044 0532 0130 00",
    "british": "GB82 WEST 1234 5698 7654 32",
    "norwegian": "NO93 8601 1117 947",
    "maltese": "MT84MALT011000012345MTLCAST001S",
    "small letters": "gb82west12345698765432",
    "dashes": "FR14-2004-1010-0505-0001-3M02-606",
}
NO_IBANS = [
    "DE89 3704 0044 0532 0130 01",  # no check digits
    "XX89 3704 0044 0532 0130 00",  # no country
    "DE89 3704 0044 0532 0130",  # too short
    "DE89370400440532013000A",
    "TKT-1001 and INV-2041",
]
IPS = {
    "v4": "203.0.113.7",
    "v6": "2001:db8::ff00:42:8329",
    "v6 whole": "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "v6 short": "fe80::1",
    "v6 of a v4": "::ffff:203.0.113.7",
}
NO_IPS = [
    "version 1.2.3.4",
    "v1.2.3.4",
    "Firmware: 10.4.2.1",
    "Chrome/120.0.1.2",
    "300.1.2.3",
    "1.2.3.4.5",
    "1.2.3",
    "12:30:45",
    "00:1a:2b:3c:4d:5e",
    "std::vector and Fa::Be",
    "127.0.0.1 and ::1",
    "$1.234.567.890",
]
PHONES = {
    "international": "+44 20 7946 0958",
    "with dashes": "+1-212-736-5000",
    "with brackets": "+1 (212) 736-5000",
    "in one piece": "+4930901820",
    "wide": "\uff0b44 20 7946 0958",
}
NO_PHONES = ["2026-03-02", "02.03.2026", "order 20260302-1234", "1234567", "INV-2041", "+1", "+12345", "10.000.000 + 1"]
NATIONAL_PHONES = {"DE": "030 901820", "GB": "020 7946 0958", "US": "(212) 736-5000"}
SECRETS = {
    "openai": "sk-proj-" + "a1B2c3D4" * 4,
    "github": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA\n" * 12 + "-----END RSA PRIVATE KEY-----",
    "private key in JSON": r"-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabcd==\n-----END PRIVATE KEY-----",
}
BROKEN_SECRET = "sk-proj-a1B2\n  c3D4a1B2c3D4a1B2"
CUT_KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1\nduRSxKtLYX5CB04fSeQ6tF1aY"
NATIONAL_IDS = {
    "us_ssn": {"pattern": r"\d{3}-\d{2}-\d{4}"},
    "nl_bsn": {"pattern": r"\d{9}", "weights": [9, 8, 7, 6, 5, 4, 3, 2, -1], "modulus": 11},
    "ca_sin": {"pattern": r"\d{3}[ -]?\d{3}[ -]?\d{3}", "checksum": "luhn"},
    "hr_oib": {"pattern": r"\d{11}", "checksum": "mod11_10"},
    "lei": {"pattern": r"[A-Z0-9]{18}\d{2}", "checksum": "mod97"},
}
"""As they stand in desk.toml: one for each way to check."""
NATIONAL = {
    "us_ssn": ("078-05-1120", "078-05-112"),
    "nl_bsn": ("111222333", "111222334"),
    "ca_sin": ("046 454 286", "046 454 287"),
    "hr_oib": ("69435151530", "69435151531"),
    "lei": ("529900T8BM49AURSDO55", "529900T8BM49AURSDO56"),
}
"""One that is right, one that is not."""
