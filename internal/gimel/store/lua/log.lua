-- Shared head of track.lua and admit.lua: the log of events, a stream beside the experiment
-- (see keys.go). Counting goes on whatever becomes of the log: nothing in here fails, and
-- what is not logged is noted.

-- Of packed fingerprints those that have a '1' in flags; mostly that is all.
local function fresh(packed, flags, added)
  if packed == '' or added == #flags then return packed end
  local some = {}
  for i, flag in ipairs(flags) do
    if flag == '1' then some[#some + 1] = string.sub(packed, 8 * i - 7, 8 * i) end
  end
  return table.concat(some)
end

-- Appends the packed fingerprints of one counter, and their values with a space between, or
-- ''; false when they did not go in.
-- budget: bytes that the stream may take, and the Unix time, for the TIME of Redis is not in
-- what an ACL of reading and writing allows; 0: there is no log
local function append(meta, stream, counter, packed, values, budget)
  if budget == '0' then return true end
  local bytes, now = string.match(budget, '^(%d+) (%d+)$')
  local used = redis.pcall('MEMORY', 'USAGE', stream) or 0 -- an error is a table
  if type(used) == 'number' and used < tonumber(bytes) then
    local entry
    if values == '' then
      entry = redis.pcall('XADD', stream, '*', 'c', counter, 'f', packed)
    else
      entry = redis.pcall('XADD', stream, '*', 'c', counter, 'f', packed, 'x', values)
    end
    if type(entry) == 'string' then return true end
  end
  redis.pcall('HSETNX', meta, 'gap', now)
  redis.pcall('HINCRBY', meta, 'missed', #packed / 8)
  return false
end
