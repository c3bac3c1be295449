-- KEYS[1]: the stream.
-- ARGV: how long an entry waits at most and how long an idle stream is kept, in milliseconds, how many entries wait at most, and payloads.
-- Returns how many entries nobody has acknowledged; whoever does removes them.
local time = redis.call('TIME')
local oldest = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1])
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', oldest, 'COUNT', 1000)) do
  redis.call('XDEL', KEYS[1], entry[1])
end
for i = 4, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'p', ARGV[i])
end
if #ARGV > 3 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return redis.call('XLEN', KEYS[1])
