-- Writes and leaves nothing: a Redis that is full, that is a replica, or that lacks its own
-- replicas (min-replicas-to-write) answers every question, and counts nothing.
-- KEYS: one of its shard
redis.call('SET', KEYS[1], '1')
redis.call('DEL', KEYS[1])
return 1
