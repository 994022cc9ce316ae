-- Counts uuids of one event and variant exactly, in one atomic step.
-- KEYS: experiment, days, log, then the bucket of each uuid, then the tally of each
--       visitor that is told
-- ARGV: event, variant, the id and number of buckets that the caller chose the
--       keys by, day, limit of counters, the log's budget, the fingerprints in
--       8 bytes each, how many there are, then each once more as a number,
--       then, if any has one, 'VALUE VISITOR KEY' of each; '' is none
-- Answers {'counted', count, flags, logged}, where flags has a '1' for each uuid
--         that is new, a '0' for each that was there, a '-' for each that is not
--         counted for want of a value, a '!' for want of a key, a '?' for want of a
--         visitor, and a '>' for each whose value, or whose visitor's number, is above
--         what was declared, and logged is 0 when what is new is not in the log;
--         {'moved', id, buckets}, {'unknown'} or {reason}.

-- Adds up what new uuids have brought, in all and on that day: of how many, the
-- sum, and that of the squares.
local function addValues(meta, days, day, counter, of, sum, squares)
  local function add(call, key, field, number)
    call('HINCRBYFLOAT', key, field, string.format('%.17g', number))
  end
  redis.call('HINCRBY', meta, 'm:' .. counter, of)
  add(redis.call, meta, 's:' .. counter, sum)
  add(redis.call, meta, 'q:' .. counter, squares)
  add(redis.pcall, days, day .. ':s', sum)
  add(redis.pcall, days, day .. ':q', squares)
end

local meta, days, uuids = KEYS[1], KEYS[2], tonumber(ARGV[9])
local event, variant = ARGV[1], ARGV[2]
local counter = event .. ':' .. variant

local found = look(meta, event, variant)
if not found.id then return {'unknown'} end
local reason = refusal(found, event)
if reason then return {reason} end
local unreadable = spoiled(found.count, found.buckets)
if unreadable then return unreadable end
if found.id ~= ARGV[3] or found.buckets ~= ARGV[4] then
  return {'moved', found.id, tonumber(found.buckets)}
end
if not admit(meta, found, counter, ARGV[6]) then return {'too_many_counters'} end

local kind, most, keyed = string.match(found.goal or '', '^%d+ (%a+) ?(%S*) ?(%a*)$')
most, keyed = tonumber(most) or math.huge, keyed == 'key'
if kind then
  local sums = redis.call('HMGET', meta, 'm:' .. counter, 's:' .. counter, 'q:' .. counter, 'o:' .. event)
  unreadable = spoiled(sums[1], sums[2], sums[3], sums[4])
  if unreadable then return unreadable end
end
local added, of, sum, squares, over, flags, values = 0, 0, 0, 0, 0, {}, {}
local tally = 3 + uuids -- behind it are those of visitors
for i = 1, uuids do
  local text, visitor, key, value, times = nil, '', '', nil, nil
  if kind then
    text, visitor, key = string.match(ARGV[9 + uuids + i] or ' ', '^(%S*) ?(%d*) ?(%a*)$')
    value = tonumber(text)
    if visitor ~= '' then tally = tally + 1 end
  end
  if keyed and key ~= 'key' then
    flags[i] = '!'
  elseif kind == 'value' and not value then
    flags[i] = '-'
  elseif kind == 'count' and visitor == '' and most < math.huge then -- nothing would bound it
    flags[i] = '?'
  elseif kind == 'value' and math.abs(value) > most then
    flags[i], over = '>', over + 1
  else
    local new = redis.call('SADD', KEYS[3 + i], ARGV[9 + i])
    -- How often the visitor has reached it. The hashes are compact up to 512 visitors each
    -- (hash-max-listpack-entries).
    if new == 1 and kind == 'count' and visitor ~= '' then times = redis.call('HINCRBY', KEYS[tally], visitor, 1) end
    if times and times > most then
      redis.call('HINCRBY', KEYS[tally], visitor, -1)
      redis.call('SREM', KEYS[3 + i], ARGV[9 + i])
      flags[i], over = '>', over + 1
    else
      flags[i] = new == 1 and '1' or '0' -- numbers would be formatted
      added = added + new
      if new == 1 and kind == 'value' then
        of, sum, squares = of + 1, sum + value, squares + value * value
        values[added] = text
      elseif times then -- n² is the sum of the first n odd numbers
        of, sum, squares = of + 1, sum + 1, squares + 2 * times - 1
      end
    end
  end
end
if over > 0 then redis.call('HINCRBY', meta, 'o:' .. event, over) end
local count, logged = tonumber(found.count or 0), true
if added > 0 then
  redis.pcall('HINCRBY', days, ARGV[5], added) -- an event counts, whatever its day has become
  count = redis.call('HINCRBY', meta, 'c:' .. counter, added)
  if of > 0 then addValues(meta, days, ARGV[5], counter, of, sum, squares) end
  logged = append(meta, KEYS[3], counter, fresh(ARGV[8], flags, added), table.concat(values, ' '), ARGV[7])
end
return {'counted', count, table.concat(flags), logged and 1 or 0}
