-- Replaces an experiment's declaration, and leaves its counters.
-- KEYS: experiment      ARGV: id and unix time (for a new one), then fields and values
-- Answers 1 for a new experiment, 0 for one that was there.
local meta = KEYS[1]
local fresh = redis.call('EXISTS', meta) == 0
if fresh then
  redis.call('HSET', meta, 'id', ARGV[1], 'state', 'running', 'created', ARGV[2])
end

-- The shares of variants, by label; what is declared is "place weight".
local before, after, counted = {}, {}, false
local function add(shares, field, value)
  shares[string.sub(field, 3)] = tonumber(string.match(value, '%S+$'))
end
local function scaled(shares)
  local sum = 0
  for _, weight in pairs(shares) do sum = sum + weight end
  for label, weight in pairs(shares) do shares[label] = weight / sum end
end
-- What a goal adds up: values, or how often somebody comes; nil of one that is unique.
local function kindOf(declared) return string.match(declared or '', '^%d+ (%a+)') end

-- What verdicts go by, beside the weights: the planned size, the control, and the goals with the
-- first of them, which decides. Which place the others have is no matter.
local function terms() return {planned = '0', control = '', goals = {}} end
local function note(of, field, value)
  local kind, name = string.match(field, '^([vg]):(.*)$')
  if field == 'planned' then of.planned = value end
  if kind == 'v' and string.match(value, '^0 ') then of.control = name end
  if kind == 'g' then of.goals[name] = string.match(value, '^0') and '0' or '1' end
end
local function differ(one, other)
  if one.planned ~= other.planned or one.control ~= other.control then return true end
  for name, place in pairs(one.goals) do if other.goals[name] ~= place then return true end end
  for name in pairs(other.goals) do if not one.goals[name] then return true end end
  return false
end

local kinds, first, now, came, replanned = {}, terms(), terms(), 0, false
local fields = redis.call('HGETALL', meta)
for i = 1, #fields, 2 do
  local field, value = fields[i], fields[i + 1]
  local kind = string.sub(field, 1, 2)
  note(first, field, value)
  if kind == 'v:' then add(before, field, value) end
  if kind == 'g:' then kinds[string.sub(field, 3)] = kindOf(value) or 'unique' end
  if string.match(field, '^[bc]:participate:') then came = came + tonumber(value) end
  if field == 'replanned' then replanned = true end
  if kind == 'v:' or kind == 'g:' or field == 'variants' or field == 'goals' then
    redis.call('HDEL', meta, field)
  end
end
counted = came > 0
for i = 3, #ARGV, 2 do
  redis.call('HSET', meta, ARGV[i], ARGV[i + 1])
  note(now, ARGV[i], ARGV[i + 1])
  if string.sub(ARGV[i], 1, 2) == 'v:' then add(after, ARGV[i], ARGV[i + 1]) end
end

-- What was declared before participants came is kept where it is changed, and verdicts go by that:
-- who has seen numbers can choose the size, the goal or the control that suits them. Fewer than
-- twenty are a rehearsal: no test begins with so few, and they say next to nothing of what comes.
if came >= 20 and not replanned and differ(first, now) then
  redis.call('HSET', meta, 'replanned', ARGV[2] .. ' ' .. first.planned .. ' ' .. first.control)
  for name, place in pairs(first.goals) do redis.call('HSET', meta, 'f:' .. name, place) end
end
for i = 3, #ARGV, 2 do
  local goal = string.match(ARGV[i], '^g:(.*)$')
  if goal and came >= 20 then
    redis.call('HSETNX', meta, 'k:' .. goal, kinds[goal] or kindOf(ARGV[i + 1]) or 'unique')
  elseif goal then
    redis.call('HSET', meta, 'k:' .. goal, kindOf(ARGV[i + 1]) or 'unique')
  end
end

-- Sums of values and of visits cannot be told apart: where the one has become the other, they begin
-- anew, and as many of the goal's events have none for good.
for i = 1, #fields, 2 do
  local kind, goal = string.match(fields[i], '^([msq]):([^:]*):')
  local declared = kind and kindOf(redis.call('HGET', meta, 'g:' .. goal))
  if kinds[goal] and kinds[goal] ~= 'unique' and declared and declared ~= kinds[goal] then
    redis.call('HDEL', meta, fields[i])
  end
end

-- Another split while participants come is noted for good: they are not counted by period.
scaled(before)
scaled(after)
local changed = false
for label, share in pairs(before) do
  if math.abs(share - (after[label] or 0)) > 1e-9 then changed = true end
end
if counted and changed then redis.call('HSETNX', meta, 'ramped', ARGV[2]) end
return fresh and 1 or 0
