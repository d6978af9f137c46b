// B-DISTIL over a federation: the state of the game between rounds, and what is said in each.
//
// A member is trained in `rounds_per_member` rounds, answers for one (its edge), and is taken in
// one (the gaps move, and with them the adversary's weights): phases kTrain, kEdge, kTake. Before
// all of them the clients learn the teacher's answers: kTeach. Everything lies in Server::state.
#pragma once

#include <cstdint>
#include <vector>

#include "algorithms/distillation/game.h"
#include "algorithms/server.h"

namespace skiff::distillation {

enum class Phase : std::int64_t { kTeach, kTrain, kEdge, kTake, kDone };

// Plain numbers, kept as one array.
struct Progress {
  Phase phase = Phase::kTeach;
  std::int64_t member = 0;   // taken so far
  std::int64_t trained = 0;  // rounds of the candidate
  std::int64_t size = 0;     // index of the candidate's model: 0 is the student of the scenario
  std::int64_t attempt = 0;  // candidates begun, never reset
  std::int64_t tries = 0;    // of them failed at this member and size
  std::int64_t key = 0;      // of what clients are told: its version
  std::int64_t best_size = -1, best_key = 0;  // the best of the failed; size -1: none
  std::int64_t weak = 0;                      // members taken though an edge was negative
  std::int64_t players = 0, complete = 1;     // clients that learnt the teacher; all ever since
  std::int64_t samples = 0;
  double eta = 1, limit = 0;  // limit 0: not known before the first member has answered
};

// What the server remembers of the game, out of its State and back.
struct Game {
  Progress at;
  Normaliser all;
  Tally answer;                      // of the candidate that is being taken, or of the best
  std::vector<double> second, edge;  // summed over the members taken
  std::vector<std::int64_t> sizes;   // of the members taken

  static Game load(const Server& server, std::size_t outputs);
  void save(State& state) const;
};

// Raw numbers of a section; their count is known to both sides.
Payload packed(const std::vector<double>& numbers);
std::vector<double> unpacked(const Payload& payload);

// What a client reads of a round: where the game is, and what it needs of it.
struct Said {
  Phase phase = Phase::kTeach;
  std::size_t model = 0;  // of the composition
  std::int64_t samples = 0;
  double eta = 1, limit = 0;
  Normaliser all;

  std::vector<double> numbers() const;
  static std::size_t count(std::size_t outputs) { return 5 + 3 * outputs; }
  static Said read(const Message& message);
};

// What clients answer: kTeach their number of samples, kEdge a Tally, kTake a Normaliser.
std::vector<double> numbers_of(const Tally& tally);
Tally tally_from(const std::vector<double>& numbers);
std::vector<double> numbers_of(const Normaliser& normaliser);
Normaliser normaliser_from(const std::vector<double>& numbers);

extern const SectionId kGameSection;  // "game", down and up

}  // namespace skiff::distillation
