-- Exchanges refresh tokens: each answer's token is the next request's. TOKENS_FILE has one to begin with on each line, more than
-- there are connections.
local tokens, taken = {}, 0
for line in io.lines(os.getenv("TOKENS_FILE")) do tokens[#tokens + 1] = line end
local first, last = 1, #tokens
local headers = { ["Content-Type"] = "application/json", ["apikey"] = os.getenv("APIKEY") }

request = function()
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return wrk.format("POST", "/auth/v1/token?grant_type=refresh_token", headers, '{"refresh_token":"' .. token .. '"}')
end

response = function(status, _, body)
  last = last + 1
  tokens[last] = string.match(body, '"refresh_token":"([^"]+)"') or error(status .. " " .. body)
end
