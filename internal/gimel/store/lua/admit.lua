-- Says whether an event may be counted, where the counting is PFADD's.
-- KEYS: experiment      ARGV: event, variant, limit of counters
-- Answers {'admitted'}, {'unknown'} or {reason}.
local found = look(KEYS[1], ARGV[1], ARGV[2])
if not found.id then return {'unknown'} end
local reason = refusal(found, ARGV[1])
if reason then return {reason} end
if not admit(KEYS[1], found, ARGV[1] .. ':' .. ARGV[2], ARGV[3]) then
  return {'too_many_counters'}
end
return {'admitted'}
