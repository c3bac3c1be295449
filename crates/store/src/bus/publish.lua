-- KEYS[1]: the last id of the channel; the channel has the same name.
-- ARGV[1]: the payload; ARGV[2]: how long an id is remembered, in milliseconds.
local id = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', KEYS[1], string.format('%.0f', id) .. ':' .. ARGV[1])
return id
