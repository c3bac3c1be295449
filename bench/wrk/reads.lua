-- Requests of one shape, written out before the load begins so that making them costs nothing.
-- SHAPE is a path whose `:id` becomes a fixed walk over 1..100000; TOKENS (separated by blanks) take turns.
local shape = os.getenv("SHAPE")
local tokens = {}
for token in string.gmatch(os.getenv("TOKENS"), "%S+") do tokens[#tokens + 1] = token end

local requests, count, turn = {}, 20000, 0
init = function()
  local id = 0
  for i = 1, count do
    local token = tokens[i % #tokens + 1]
    id = (id + 7919) % 100000
    requests[i] = wrk.format("GET", (string.gsub(shape, ":id", tostring(id + 1))), {
      ["Authorization"] = "Bearer " .. token,
      ["apikey"] = token,
      ["Accept-Profile"] = "public",
    })
  end
end

request = function()
  turn = turn % count + 1
  return requests[turn]
end
