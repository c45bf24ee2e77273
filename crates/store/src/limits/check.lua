-- One request: its nonce and all of its limits, all or nothing. The same arithmetic as misy_domain::limit::decide, which a
-- property test holds it to. All times are in microseconds and whole: doubles hold them exactly until the year 2255.
--
-- KEYS: one per limit, and the nonce last if there is one.
-- ARGV: the time, or 0 for the server's own (replicas' clocks do not count); how long the nonce is kept, in milliseconds,
--       or 0 without one; then per limit its interval and its requests.
-- Answers {0} or {0, limit nearest to being reached, remaining, reset}; {1, limit, retry after}; {2} for a nonce seen before.
local now = tonumber(ARGV[1])
if now == 0 then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local keep = tonumber(ARGV[2])
local limits = #KEYS
if keep > 0 then
    limits = limits - 1
    if redis.call('EXISTS', KEYS[#KEYS]) == 1 then
        return { 2 }
    end
end
local arrivals, nearest, least, reset = {}, 0, 0, 0
for at = 1, limits do
    local interval, requests = tonumber(ARGV[2 * at + 1]), tonumber(ARGV[2 * at + 2])
    local arrival = tonumber(redis.call('GET', KEYS[at]) or now)
    local ahead = math.max(arrival, now) + interval - now
    local burst = interval * requests
    if ahead > burst then
        return { 1, at, ahead - burst }
    end
    arrivals[at] = ahead
    local remaining = math.floor((burst - ahead) / interval)
    if nearest == 0 or remaining < least then
        nearest, least, reset = at, remaining, ahead
    end
end
for at = 1, limits do
    local ahead = arrivals[at]
    redis.call('SET', KEYS[at], string.format('%.0f', now + ahead), 'PX', string.format('%.0f', math.ceil(ahead / 1000)))
end
if keep > 0 then
    redis.call('SET', KEYS[#KEYS], '', 'PX', ARGV[2])
end
if nearest == 0 then
    return { 0 }
end
return { 0, nearest, least, reset }
