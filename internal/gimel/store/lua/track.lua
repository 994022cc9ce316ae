-- Counts uuids of one event and variant exactly, in one atomic step.
-- KEYS: experiment, days, then the bucket of each uuid
-- ARGV: event, variant, the id and number of buckets that the caller chose the
--       buckets by, day, limit of counters, then the fingerprint of each uuid
-- Answers {'counted', count, flags}, where flags has a '1' for each uuid that
--         is new and a '0' for each that was there;
--         {'moved', id, buckets}, {'unknown'} or {reason}.
local meta, days = KEYS[1], KEYS[2]
local event, variant = ARGV[1], ARGV[2]
local counter = event .. ':' .. variant

local found = look(meta, event, variant)
if not found.id then return {'unknown'} end
local reason = refusal(found, event)
if reason then return {reason} end
if found.id ~= ARGV[3] or found.buckets ~= ARGV[4] then
  return {'moved', found.id, tonumber(found.buckets)}
end
if not admit(meta, found, counter, ARGV[6]) then return {'too_many_counters'} end

local added, flags = 0, {}
for i = 3, #KEYS do
  local new = redis.call('SADD', KEYS[i], ARGV[i + 4])
  flags[i - 2] = new == 1 and '1' or '0' -- numbers would be formatted
  added = added + new
end
local count = tonumber(found.count or 0)
if added > 0 then
  redis.call('HINCRBY', days, ARGV[5], added)
  count = redis.call('HINCRBY', meta, 'c:' .. counter, added)
end
return {'counted', count, table.concat(flags)}
