-- One question. ARGV: the milliseconds the session is kept (0: for ever), the question's name and its values.
-- Answers a list, empty where there is no such session or turn.

-- The newest `count` turns up to `number` along the parents, as runs of numbers {first, last}, the newest run first.
local function runs(number, count)
  local found = {}
  while number and number >= 0 and count > 0 do
    local row = row_at(number)
    if not row then break end
    local straight, parent = parts(row)
    local first = number - math.min(straight, count - 1)
    -- Where a turn in between was popped, the chain ends there: find it step by step.
    if first < number and redis.call('ZCOUNT', turns, whole(first), whole(number)) ~= number - first + 1 then
      first = number
    end
    found[#found + 1] = { first, number }
    count = count - (number - first + 1)
    if first < number then
      local oldest
      oldest, parent = parts(row_at(first))
    end
    number = parent
  end
  return found, count
end

local function turns_in(run) return redis.call('ZRANGEBYSCORE', turns, whole(run[1]), whole(run[2])) end

local function items_in(run)
  return redis.call('ZRANGEBYSCORE', items, whole(run[1] * FIT), whole(run[2] * FIT + FIT - 1))
end

local function depth_of(head)
  local row = head and number_of(head) and row_at(number_of(head))
  if not row then return 0 end
  local _, _, depth = parts(row)
  return depth
end

local function branch_row(name, value)
  return { name, value, depth_of(string.match(value, '^(%x+) ')) }
end

local questions = {}

function questions.SessionById()
  local name = redis.call('HGET', session, 'branch')
  local branch = redis.call('HGET', branches, name) or ' '
  return { redis.call('HGETALL', session), branch_row(name, branch) }
end

function questions.StandOf()
  local head = head_of(redis.call('HGET', session, 'branch'))
  local number = head and number_of(head)
  return { redis.call('HGET', session, 'version'), head or '', number and next_seq(number) or 0 }
end

function questions.WindowOf(head, count)
  local answer, found = {}, runs(number_of(head), tonumber(count))
  for at = #found, 1, -1 do answer[#answer + 1] = { turns_in(found[at]), items_in(found[at]) } end
  return answer
end

function questions.TurnsUpTo(head, count)
  local answer, found = {}, runs(number_of(head), tonumber(count))
  for at = #found, 1, -1 do answer[#answer + 1] = turns_in(found[at]) end
  return answer
end

function questions.TurnAt(head, depth)
  local count = depth_of(head) - tonumber(depth) + 1
  if count < 1 then return {} end
  local found, left = runs(number_of(head), count)
  return left == 0 and { { row_at(found[#found][1]) } } or {}
end

function questions.TurnById(id)
  local number = number_of(id)
  return number and { { row_at(number) } } or {}
end

function questions.ItemsOf(id)
  local number = number_of(id)
  return number and { { { row_at(number) }, items_in({ number, number }) } } or {}
end

function questions.BranchesOf()
  local answer, all = {}, redis.call('HGETALL', branches)
  for at = 1, #all, 2 do answer[#answer + 1] = branch_row(all[at], all[at + 1]) end
  return answer
end

function questions.BranchByName(name)
  local value = redis.call('HGET', branches, name)
  return value and { branch_row(name, value) } or {}
end

function questions.MovesOf(hex, limit)
  local answer, left = {}, tonumber(limit)
  for _, move in ipairs(redis.call('ZREVRANGE', moves, 0, -1)) do
    if left < 1 then break end
    if string.match(move, '^%d+ (%x+) ') == hex then
      answer[#answer + 1], left = move, left - 1
    end
  end
  return answer
end

function questions.Usage() return redis.call('HGETALL', usage) end

function questions.Counts()
  return { redis.call('ZCARD', turns), redis.call('ZCARD', items) }
end

local bad = unfit()
if bad then return redis.error_reply(bad) end
if redis.call('EXISTS', session) == 0 then return {} end
use(tonumber(ARGV[1]))
return questions[ARGV[2]](unpack(ARGV, 3))
