-- Counts one event exactly, in one atomic step.
-- KEYS: experiment, bucket, days
-- ARGV: event, variant, the id and number of buckets that the caller chose the
--       bucket by, fingerprint, day, limit of counters
-- Answers {'added' | 'duplicate', count, buckets}, {'moved', id, buckets},
--         {'unknown'} or {reason}.
local meta, bucket, days = KEYS[1], KEYS[2], KEYS[3]
local event, variant = ARGV[1], ARGV[2]
local counter = event .. ':' .. variant

local found = look(meta, event, variant)
if not found.id then return {'unknown'} end
local reason = refusal(found, event)
if reason then return {reason} end
if found.id ~= ARGV[3] or found.buckets ~= ARGV[4] then
  return {'moved', found.id, tonumber(found.buckets)}
end
if not admit(meta, found, counter, ARGV[7]) then return {'too_many_counters'} end

if redis.call('SADD', bucket, ARGV[5]) == 0 then
  return {'duplicate', tonumber(found.count or 0), tonumber(found.buckets)}
end
redis.call('HINCRBY', days, ARGV[6], 1)
return {'added', redis.call('HINCRBY', meta, 'c:' .. counter, 1), tonumber(found.buckets)}
