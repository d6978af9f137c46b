// What clients keep between participations, on the host.
//
// A client that never took part takes nothing; one that did, what its state's arrays hold. Beyond
// `most` bytes in all, the states that were written longest ago lie in a file of the temporary
// folder ($TMPDIR or /tmp), which has no name and ends with the program: 10^5 clients with 10 MB
// each are a matter of disk. Where they lie changes no bit of a run. Throws DataError when the disk
// is full. put() on one thread; find() may run beside other find()s.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "algorithms/client_context.h"

namespace skiff {

// All arrays, bit by bit; load_client_state throws DataError if it is not what save made.
std::string save_client_state(const ClientState& state);
ClientState load_client_state(std::string_view text);

class ClientStates {
 public:
  explicit ClientStates(Bytes most) : most_(most) {}
  ~ClientStates();
  ClientStates(const ClientStates&) = delete;
  ClientStates& operator=(const ClientStates&) = delete;

  // A copy; nothing for a client that has none.
  std::optional<ClientState> find(ClientId client) const;
  void put(ClientId client, ClientState state);

  std::size_t size() const { return all_.size(); }
  Bytes in_memory() const { return in_memory_; }
  Bytes in_file() const { return Bytes(end_); }  // length of the file

 private:
  struct Place {  // in the file
    std::int64_t offset = 0, room = 0, length = 0;
  };
  struct Kept {
    std::optional<ClientState> state;  // empty: it lies in the file
    Place place;                       // room 0: never was there
    std::list<ClientId>::iterator turn;
  };
  void spill_oldest();

  Bytes most_, in_memory_;
  std::unordered_map<ClientId, Kept> all_;  // only ever looked up by key
  std::list<ClientId> turns_;               // of those in memory, oldest first
  int file_ = -1;
  std::int64_t end_ = 0;
};

}  // namespace skiff
