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
-- What a goal adds up, by its name: values, or how often somebody comes. Its place is no matter.
local function kindOf(declared) return string.match(declared or '', ' (%a+)$') end
local kinds = {}
local fields = redis.call('HGETALL', meta)
for i = 1, #fields, 2 do
  local field, kind = fields[i], string.sub(fields[i], 1, 2)
  if kind == 'v:' then add(before, field, fields[i + 1]) end
  if kind == 'g:' then kinds[string.sub(field, 3)] = kindOf(fields[i + 1]) end
  if string.sub(field, 1, 14) == 'c:participate:' and fields[i + 1] ~= '0' then counted = true end
  if kind == 'v:' or kind == 'g:' or field == 'variants' or field == 'goals' then
    redis.call('HDEL', meta, field)
  end
end
for i = 3, #ARGV, 2 do
  redis.call('HSET', meta, ARGV[i], ARGV[i + 1])
  if string.sub(ARGV[i], 1, 2) == 'v:' then add(after, ARGV[i], ARGV[i + 1]) end
end

-- Sums of values and of visits cannot be told apart: where the one has become the other, they begin
-- anew, and as many of the goal's events have none for good.
for i = 1, #fields, 2 do
  local kind, goal = string.match(fields[i], '^([msq]):([^:]*):')
  local now = kind and kindOf(redis.call('HGET', meta, 'g:' .. goal))
  if kinds[goal] and now and now ~= kinds[goal] then redis.call('HDEL', meta, fields[i]) end
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
