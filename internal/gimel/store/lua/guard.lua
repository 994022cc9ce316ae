-- Shared head of track.lua and admit.lua: may this event be counted?
-- An experiment is one hash (see keys.go); its fields are read in one call.

local function look(meta, event, variant)
  local counter = event .. ':' .. variant
  local m = redis.call('HMGET', meta, 'id', 'state', 'variants', 'v:' .. variant,
    'goals', 'g:' .. event, 'c:' .. counter, 'n:' .. counter)
  return {id = m[1], state = m[2], closed_variants = m[3], variant = m[4],
    closed_goals = m[5], goal = m[6], count = m[7], buckets = m[8] or '1'}
end

-- The reason to drop the event, or nil. The names are those of package event.
local function refusal(found, event)
  if found.state ~= 'running' then return 'archived' end
  if found.closed_variants and not found.variant then return 'undeclared_variant' end
  if found.closed_goals and event ~= 'participate' and not found.goal then
    return 'undeclared_goal'
  end
end

-- An error where what is counted here is no number: nothing is written then, for the half of an
-- event would keep the other half from being counted when it comes again.
local function spoiled(...)
  for i = 1, select('#', ...) do
    local number = select(i, ...)
    if number and not tonumber(number) then return redis.error_reply('ERR a counter that is not what gimel writes') end
  end
end

-- Makes room for a new counter; false when the experiment has too many.
local function admit(meta, found, counter, limit)
  if found.count then return true end
  if tonumber(redis.call('HGET', meta, 'counters') or 0) >= tonumber(limit) then
    return false
  end
  redis.call('HINCRBY', meta, 'counters', 1)
  redis.call('HSET', meta, 'c:' .. counter, 0)
  return true
end
