-- Enters an experiment in the list that it belongs to, whatever the cap says.
-- KEYS: declared, undeclared      ARGV: member, 1 where it is declared
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('SREM', KEYS[2], ARGV[1])
elseif redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
  redis.call('SADD', KEYS[2], ARGV[1])
end
return 1
