-- Says whether an event may be counted, where the counting is PFADD's. PFADD does not know
-- who is new, so all that come are logged: the sink keeps each once.
-- KEYS: experiment, its log
-- ARGV: event, variant, the id that the caller chose the log by, limit of counters, the
--       log's budget, the fingerprint in 8 bytes
-- Answers {'admitted', logged}, {'moved', id}, {'unknown'} or {reason}; see track.lua.
local found = look(KEYS[1], ARGV[1], ARGV[2])
if not found.id then return {'unknown'} end
local reason = refusal(found, ARGV[1])
if reason then return {reason} end
if found.id ~= ARGV[3] then return {'moved', found.id} end
local counter = ARGV[1] .. ':' .. ARGV[2]
if not admit(KEYS[1], found, counter, ARGV[4]) then return {'too_many_counters'} end
return {'admitted', append(KEYS[1], KEYS[2], counter, ARGV[6], '', ARGV[5]) and 1 or 0}
