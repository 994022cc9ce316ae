-- Says whether an event may be counted, where the counting is PFADD's. PFADD does not know
-- who is new, so all that come are logged: the sink keeps each once.
-- KEYS: experiment
-- ARGV: event, variant, limit of counters, the log's budget, the fingerprint in 8 bytes
-- Answers {'admitted', logged}, {'unknown'} or {reason}; see track.lua.
local found = look(KEYS[1], ARGV[1], ARGV[2])
if not found.id then return {'unknown'} end
local reason = refusal(found, ARGV[1])
if reason then return {reason} end
local counter = ARGV[1] .. ':' .. ARGV[2]
if not admit(KEYS[1], found, counter, ARGV[3]) then return {'too_many_counters'} end
return {'admitted', append(KEYS[1], found.id, counter, ARGV[5], '', ARGV[4]) and 1 or 0}
