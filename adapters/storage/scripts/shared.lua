-- What both scripts share. A session is seven keys, which live and expire together:
--   session   hash: what SessionById tells, `turns` and `moves` count what was ever added, `layout` is of these keys
--   turns     sorted set by number: "NUMBER STRAIGHT PARENT DEPTH JSON"; a turn's number is its place in time
--   ids       hash: a turn's id to its number
--   items     sorted set by number * FIT + seq: "NUMBER:SEQ:BODY" (equal members would collapse into one)
--   branches  hash: a branch's name to "HEAD JSON"
--   moves     sorted set by number: "NUMBER BRANCH JSON"
--   usage     hash: "TURN|BRANCH" to a JSON list of what was booked on it
-- STRAIGHT is how many turns before it are its ancestors one after the other: a chain is read run by run, not by turns.
-- Numbers are never given to `tostring`, which rounds them, and JSON is only put together and cut, never read here.

local session, turns, ids, items = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local branches, moves, usage = KEYS[5], KEYS[6], KEYS[7]
local LAYOUT, FIT = 1, 1048576

local function whole(number) return string.format('%.0f', number) end

-- Refuse keys that are not ours or of a newer layout, and a session of which a part was evicted.
local function unfit()
  local kinds, there = { 'hash', 'zset', 'hash', 'zset', 'hash', 'zset', 'hash' }, {}
  for at, kind in ipairs(kinds) do
    local found = redis.call('TYPE', KEYS[at]).ok
    if found ~= 'none' and found ~= kind then return 'DESKTYPE ' .. KEYS[at] .. ' ' .. found end
    there[at] = found ~= 'none'
  end
  if there[1] then
    local layout = tonumber(redis.call('HGET', session, 'layout') or nil)
    if not layout then return 'DESKTYPE ' .. session .. ' hash' end
    if layout > LAYOUT then return 'DESKLAYOUT ' .. session end
  end
  if there[1] ~= there[5] or there[2] ~= there[3] or there[2] ~= there[4] or (there[2] and not there[1]) then
    return 'DESKLOST ' .. session
  end
  return nil
end

-- Let all keys live as long from now on; for ever with 0.
local function use(ttl)
  if ttl > 0 then
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, whole(ttl)) end
  elseif redis.call('PTTL', session) >= 0 then
    for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
  end
end

local function number_of(id)
  return tonumber(redis.call('HGET', ids, id) or nil)
end

local function row_at(number)
  return redis.call('ZRANGEBYSCORE', turns, whole(number), whole(number))[1]
end

-- STRAIGHT, PARENT (-1: none) and DEPTH of a turn's row.
local function parts(row)
  local straight, parent, depth = string.match(row, '^%d+ (%d+) (%-?%d+) (%d+) ')
  return tonumber(straight), tonumber(parent), tonumber(depth)
end

local function next_seq(number)
  local last = redis.call('ZREVRANGEBYSCORE', items, whole(number * FIT + FIT - 1), whole(number * FIT), 'LIMIT', 0, 1)
  return last[1] and tonumber(string.match(last[1], '^%d+:(%d+):')) + 1 or 0
end

local function head_of(branch)
  return string.match(redis.call('HGET', branches, branch) or '', '^(%x+) ')
end
