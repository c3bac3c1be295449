-- One request per call, taken in turn from the lines of SHAPE; TOKENS (separated by blanks) take turns too.
-- `:id` in a path becomes the next of a fixed walk over 1..100000.
local shape = os.getenv("SHAPE")
local tokens = {}
for token in string.gmatch(os.getenv("TOKENS"), "%S+") do tokens[#tokens + 1] = token end
local id, turn = 0, 0

local heads = {}
for i, token in ipairs(tokens) do
  heads[i] = {
    ["Authorization"] = "Bearer " .. token,
    ["apikey"] = token,
    ["Accept-Profile"] = "public",
  }
end

request = function()
  id = (id + 7919) % 100000
  turn = turn % #heads + 1
  local path = string.gsub(shape, ":id", tostring(id + 1))
  return wrk.format("GET", path, heads[turn])
end

local failed = 0
response = function(status)
  if status ~= 200 then
    failed = failed + 1
    if failed == 1 then io.stderr:write("status " .. status .. " for " .. shape .. "\n") end
  end
end
