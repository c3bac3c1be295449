-- KEYS[1]: the time, in microseconds, at which the caller's whole burst is available again.
-- ARGV: the interval between requests, and the span of a burst, in microseconds.
-- Returns whether the request is allowed, how far the kept time is ahead now, and the time.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local ahead = (tonumber(redis.call('GET', KEYS[1]) or 0) or 0) - now
if ahead < 0 then ahead = 0 end
if ahead > span then ahead = span end
if ahead + interval > span then
  return {0, ahead, now}
end
ahead = ahead + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
return {1, ahead, now}
