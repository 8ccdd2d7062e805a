-- One commit: its guards are looked at before anything is written, so it is written whole or not at all.
-- ARGV: the milliseconds the session is kept (0: for ever), then records: their name and their values.
-- Answers 'written', or the word for why it was refused.

local made_turns, made_branches, made_items, made_session = {}, {}, {}, false

local function has_branch(name)
  return made_branches[name] or redis.call('HEXISTS', branches, name) == 1
end

local function later(field, by) redis.call('HINCRBY', session, field, by) end

local function set_head(branch, head)
  local rest = string.match(redis.call('HGET', branches, branch), '^%x* (.*)$')
  redis.call('HSET', branches, branch, head .. ' ' .. rest)
end

local function item_score(turn, seq) return number_of(turn) * FIT + seq end

local records = {}

records.SessionAt = { 1, function(version)
  if redis.call('HGET', session, 'version') ~= version then return 'changed' end
end }

records.TurnEnds = { 2, function(turn, seq)
  local number = number_of(turn)
  if not number or next_seq(number) ~= tonumber(seq) then return 'changed' end
end }

records.AddSession = { 6, function() made_session = true end, function(workspace, owner, strategy, branch, at, body)
  if redis.call('EXISTS', session) == 1 then return end
  redis.call('HSET', session, 'layout', LAYOUT, 'workspace', workspace, 'owner', owner, 'strategy', strategy,
    'branch', branch, 'version', 1, 'revision', 0, 'started', at, 'spoken', at, 'body', body, 'turns', 0, 'moves', 0)
end }

records.AddTurn = { 4, function(id)
  if made_turns[id] or number_of(id) then return 'conflict' end
  if not (made_session or redis.call('EXISTS', session) == 1) then return 'changed' end
  made_turns[id] = true
end, function(id, parent, depth, json)
  local number = redis.call('HINCRBY', session, 'turns', 1)
  local before, straight = number_of(parent) or -1, 0
  if before == number - 1 then straight = parts(row_at(before)) + 1 end
  local row = string.format('%.0f %.0f %.0f %s ', number, straight, before, depth) .. json
  redis.call('ZADD', turns, whole(number), row)
  redis.call('HSET', ids, id, whole(number))
end }

records.AddItem = { 3, function(turn, seq)
  local place = turn .. seq
  if tonumber(seq) >= FIT then return 'full' end
  if made_items[place] then return 'conflict' end
  made_items[place] = true
  if made_turns[turn] then return end
  if not number_of(turn) then return 'changed' end
  local score = whole(item_score(turn, seq))
  if redis.call('ZCOUNT', items, score, score) > 0 then return 'conflict' end
end, function(turn, seq, body)
  local member = string.format('%.0f:%s:', number_of(turn), seq) .. body
  redis.call('ZADD', items, whole(item_score(turn, seq)), member)
end }

records.DropItem = { 2, nil, function(turn, seq)
  if not number_of(turn) then return end
  local score = whole(item_score(turn, seq))
  redis.call('ZREMRANGEBYSCORE', items, score, score)
end }

records.BumpRevision = { 0, nil, function()
  later('revision', 1)
  later('version', 1)
end }

records.AddBranch = { 3, function(name)
  if has_branch(name) then return 'conflict' end
  made_branches[name] = true
end, function(name, head, json)
  redis.call('HSET', branches, name, head .. ' ' .. json)
end }

records.EnsureMain = { 2, function(name) made_branches[name] = true end, function(name, json)
  redis.call('HSETNX', branches, name, ' ' .. json)
end }

records.DropBranch = { 2, nil, function(name, hex)
  redis.call('HDEL', branches, name)
  for _, move in ipairs(redis.call('ZRANGE', moves, 0, -1)) do
    if string.match(move, '^%d+ (%x+) ') == hex then redis.call('ZREM', moves, move) end
  end
end }

records.DropTurn = { 1, nil, function(id)
  local number = number_of(id)
  if not number then return end
  redis.call('ZREMRANGEBYSCORE', items, whole(number * FIT), whole(number * FIT + FIT - 1))
  redis.call('ZREMRANGEBYSCORE', turns, whole(number), whole(number))
  redis.call('HDEL', ids, id)
end }

records.MoveHead = { 5, function(branch)
  if not has_branch(branch) then return 'changed' end
end, function(branch, hex, to, at, json)
  set_head(branch, to)
  local number = redis.call('HINCRBY', session, 'moves', 1)
  redis.call('ZADD', moves, whole(number), string.format('%.0f %s ', number, hex) .. json)
  redis.call('HSET', session, 'spoken', at)
  later('version', 1)
end }

records.GrowBranch = { 3, function(branch)
  if not has_branch(branch) then return 'changed' end
end, function(branch, head, at)
  set_head(branch, head)
  redis.call('HSET', session, 'spoken', at)
  later('version', 1)
end }

records.SwitchBranch = { 1, function(branch)
  if not has_branch(branch) then return 'changed' end
end, function(branch)
  redis.call('HSET', session, 'branch', branch)
  later('version', 1)
end }

records.ClearSession = { 1, nil, function(branch)
  local kept = redis.call('HGET', branches, branch)
  redis.call('DEL', turns, ids, items, branches, moves)
  redis.call('HSET', branches, branch, ' ' .. string.match(kept, '^%x* (.*)$'))
  redis.call('HSET', session, 'branch', branch)
  later('revision', 1)
  later('version', 1)
end }

records.ReplaceUsage = { 1, nil, function(place) redis.call('HDEL', usage, place) end }

records.BookUsage = { 2, nil, function(place, json)
  local booked = redis.call('HGET', usage, place)
  redis.call('HSET', usage, place, booked and string.sub(booked, 1, -2) .. ',' .. json .. ']' or '[' .. json .. ']')
end }

local bad = unfit()
if bad then return redis.error_reply(bad) end
local commit, at = {}, 2
while at <= #ARGV do
  local record, values = records[ARGV[at]], {}
  for number = 1, record[1] do values[number] = ARGV[at + number] end
  local refused = record[2] and record[2](unpack(values))
  if refused then return refused end
  commit[#commit + 1] = { record[3], values }
  at = at + 1 + record[1]
end
for _, step in ipairs(commit) do
  if step[1] then step[1](unpack(step[2])) end
end
use(tonumber(ARGV[1]))
return 'written'
