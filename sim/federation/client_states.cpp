#include "sim/federation/client_states.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "sim/core/error.h"

namespace skiff {
namespace {

void put_part(std::string& out, std::string_view part) {
  const std::uint64_t n = part.size();
  char word[8];
  std::memcpy(word, &n, 8);
  out.append(word, 8);
  out.append(part);
}

std::string_view take_part(std::string_view& in) {
  std::uint64_t n = 0;
  if (in.size() < 8) throw DataError("client state", "cut short");
  std::memcpy(&n, in.data(), 8);
  in.remove_prefix(8);
  if (n > in.size()) throw DataError("client state", "cut short");
  const std::string_view part = in.substr(0, n);
  in.remove_prefix(n);
  return part;
}

int open_file() {
  std::string name = (std::filesystem::temp_directory_path() / "skiff-states-XXXXXX").string();
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) throw DataError(name, std::string("cannot be made: ") + std::strerror(errno));
  unlink(name.c_str());
  return file;
}

[[noreturn]] void fail(const char* what) {
  throw DataError("the clients' states in the temporary folder",
                  std::string(what) + ": " + std::strerror(errno));
}

void write_at(int file, std::int64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(file, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += n;
  }
}

std::string read_at(int file, std::int64_t offset, std::int64_t length) {
  std::string bytes(static_cast<std::size_t>(length), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = pread(file, bytes.data() + done, bytes.size() - done,
                            offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot be read");
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace

std::string save_client_state(const ClientState& state) {
  std::string out;
  put_part(out, std::to_string(state.space));
  for (const State* part : {&state.method, &state.optimizer, &state.personal}) {
    put_part(out, part->save());
  }
  for (const auto& [section, codec] : state.codec) {
    put_part(out, section_name(section));
    put_part(out, codec.save());
  }
  return out;
}

ClientState load_client_state(std::string_view text) {
  ClientState state;
  state.space = std::strtoll(std::string(take_part(text)).c_str(), nullptr, 10);
  for (State* part : {&state.method, &state.optimizer, &state.personal}) {
    *part = State::load(take_part(text));
  }
  while (!text.empty()) {
    const SectionId section = section_id(take_part(text));
    state.codec.emplace_back(section, State::load(take_part(text)));
  }
  return state;
}

ClientStates::~ClientStates() {
  if (file_ >= 0) close(file_);
}

std::optional<ClientState> ClientStates::find(ClientId client) const {
  const auto it = all_.find(client);
  if (it == all_.end()) return std::nullopt;
  if (it->second.state) return it->second.state;
  const Place& place = it->second.place;
  return load_client_state(read_at(file_, place.offset, place.length));
}

void ClientStates::put(ClientId client, ClientState state) {
  Kept& kept = all_[client];
  if (kept.state) {
    in_memory_ -= kept.state->bytes();
    turns_.erase(kept.turn);
  }
  in_memory_ += state.bytes();
  kept.state = std::move(state);
  kept.turn = turns_.insert(turns_.end(), client);
  while (in_memory_ > most_ && !turns_.empty()) spill_oldest();
}

void ClientStates::spill_oldest() {
  Kept& kept = all_.at(turns_.front());
  const std::string text = save_client_state(*kept.state);
  if (file_ < 0) file_ = open_file();
  Place& place = kept.place;
  place.length = static_cast<std::int64_t>(text.size());
  if (place.length > place.room) {  // its old room, if any, stays empty: states rarely grow
    place.offset = end_;
    place.room = place.length;
    end_ += place.room;
  }
  write_at(file_, place.offset, text);
  in_memory_ -= kept.state->bytes();
  kept.state.reset();
  turns_.pop_front();
}

}  // namespace skiff
