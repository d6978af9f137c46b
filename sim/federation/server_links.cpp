#include "sim/federation/server_links.h"

#include "sim/federation/events.h"

namespace skiff {

ServerLinks::ServerLinks(Engine& engine, std::optional<BytesPerSecond> download,
                         std::optional<BytesPerSecond> upload)
    : engine_(engine) {
  // The server uploads what devices download.
  if (upload) side(Direction::kDownload).emplace(bits_per_second(*upload));
  if (download) side(Direction::kUpload).emplace(bits_per_second(*download));
}

SharedLink::Flow ServerLinks::start(Direction d, AttemptId attempt, Bytes wire,
                                    std::int64_t cap_bps) {
  const SharedLink::Flow flow = side(d)->start(attempt, wire, cap_bps, engine_.now());
  post(d);
  return flow;
}

Bytes ServerLinks::abort(Direction d, SharedLink::Flow flow) {
  const Bytes through = side(d)->abort(flow, engine_.now());
  post(d);
  return through;
}

bool ServerLinks::pop(Direction d, SharedLink::Completion& out) {
  return side(d)->pop(engine_.now(), out);
}

void ServerLinks::post(Direction d) {
  Handle& handle = next_[static_cast<std::size_t>(d)];
  engine_.cancel(handle);
  handle = engine_.schedule(side(d)->next_completion(), Priority::kFlowCompletion,
                            events::kServerLink, static_cast<std::uint32_t>(d));
}

}  // namespace skiff
