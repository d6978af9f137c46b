// Numbers of the game, into and out of states and messages.
#include <algorithm>
#include <cstring>

#include "algorithms/distillation/progressive.h"

namespace skiff::distillation {

const SectionId kGameSection = section_id("game");

namespace {

void append(std::vector<double>& to, const std::vector<double>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::vector<double> part(const std::vector<double>& of, std::size_t first, std::size_t n) {
  const auto begin = of.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(n)};
}

void put(State& state, const char* name, const std::vector<double>& values) {
  state.erase(name);
  const std::span<double> to = state.array<double>(name, values.size());
  std::copy(values.begin(), values.end(), to.begin());
}

}  // namespace

Payload packed(const std::vector<double>& numbers) {
  Payload payload;
  payload.bytes.resize(numbers.size() * sizeof(double));
  std::memcpy(payload.bytes.data(), numbers.data(), payload.bytes.size());
  return payload;
}

std::vector<double> unpacked(const Payload& payload) {
  std::vector<double> numbers(payload.bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), payload.bytes.data(), payload.bytes.size());
  return numbers;
}

Game Game::load(const Server& server, std::size_t outputs) {
  State state = server.state;
  Game game;
  game.at = state.array<Progress>("progress", 1)[0];
  const auto read = [&](const char* name, std::size_t n) {
    const std::span<const double> values = state.array<double>(name, n);
    return std::vector<double>(values.begin(), values.end());
  };
  game.all = normaliser_from(read("normaliser", 3 * outputs));
  game.answer = tally_from(read("answer", 2 * outputs + 2));
  game.second = read("second", outputs);
  game.edge = read("edge", outputs);
  const std::span<const std::int64_t> sizes =
      state.array<std::int64_t>("sizes", static_cast<std::size_t>(game.at.member));
  game.sizes.assign(sizes.begin(), sizes.end());
  return game;
}

void Game::save(State& state) const {
  state.erase("progress");
  state.array<Progress>("progress", 1)[0] = at;
  put(state, "normaliser", numbers_of(all));
  put(state, "answer", numbers_of(answer));
  put(state, "second", second);
  put(state, "edge", edge);
  state.erase("sizes");
  const std::span<std::int64_t> to = state.array<std::int64_t>("sizes", sizes.size());
  std::copy(sizes.begin(), sizes.end(), to.begin());
}

std::vector<double> Said::numbers() const {
  std::vector<double> all_numbers{static_cast<double>(phase), static_cast<double>(model),
                                  static_cast<double>(samples), eta, limit};
  append(all_numbers, numbers_of(all));
  return all_numbers;
}

Said Said::read(const Message& message) {
  const Payload* payload = message.find(kGameSection);
  SKIFF_CHECK(payload != nullptr, "a round of the game without its numbers");
  const std::vector<double> n = unpacked(*payload);
  Said said;
  said.phase = static_cast<Phase>(static_cast<std::int64_t>(n[0]));
  said.model = static_cast<std::size_t>(n[1]);
  said.samples = static_cast<std::int64_t>(n[2]);
  said.eta = n[3];
  said.limit = n[4];
  said.all = normaliser_from(part(n, 5, n.size() - 5));
  return said;
}

std::vector<double> numbers_of(const Tally& tally) {
  std::vector<double> n = tally.edge;
  append(n, tally.second);
  n.push_back(tally.largest);
  n.push_back(static_cast<double>(tally.clipped));
  return n;
}

Tally tally_from(const std::vector<double>& n) {
  const std::size_t outputs = (n.size() - 2) / 2;
  return {part(n, 0, outputs), part(n, outputs, outputs), n[n.size() - 2],
          static_cast<std::int64_t>(n.back())};
}

std::vector<double> numbers_of(const Normaliser& normaliser) {
  std::vector<double> n = normaliser.shift;
  append(n, normaliser.sum);
  append(n, normaliser.most);
  return n;
}

Normaliser normaliser_from(const std::vector<double>& n) {
  const std::size_t outputs = n.size() / 3;
  return {part(n, 0, outputs), part(n, outputs, outputs), part(n, 2 * outputs, outputs)};
}

}  // namespace skiff::distillation
