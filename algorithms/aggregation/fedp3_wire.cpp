// What FedP3 says down and up; see fedp3.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "algorithms/aggregation/fedp3.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

const SectionId kAssignment = section_id("assignment");
const SectionId kOthers = section_id("other_layers");  // the biases of what is not given
const SectionId kHead = section_id("head");

SectionId pruned_section(std::size_t tensor) {
  return section_id(fmt::format("pruned_layer.{}", tensor));
}

std::shared_ptr<const Codec> codec_named(const char* name, double density) {
  Node map;
  map.set(Codec::kKey, Node::scalar(name));
  if (density < 1) {
    map.set("density", Node::scalar(fmt::format("{}", density)));
    map.set("error_feedback", Node::scalar("false"));
  }
  return Registry<Codec>::instance().make(map);
}
std::shared_ptr<const Codec> dense() { return codec_named("dense", 1); }
std::shared_ptr<const Codec> pruner(double sparsity) {
  return sparsity > 0 ? codec_named("top-k", 1 - sparsity) : dense();
}

constexpr std::size_t kSeedBytes = 8;

Payload said_layers(std::uint64_t seed, const std::vector<std::uint8_t>& given) {
  Payload payload;
  payload.bytes.resize(kSeedBytes + (given.size() + 7) / 8);
  std::memcpy(payload.bytes.data(), &seed, kSeedBytes);
  for (std::size_t l = 0; l < given.size(); ++l) {
    if (given[l] != 0) payload.bytes[kSeedBytes + l / 8] |= std::byte(1 << (l % 8));
  }
  return payload;
}
std::vector<std::uint8_t> read_layers(const Payload& payload, std::size_t layers) {
  std::vector<std::uint8_t> given(layers);
  for (std::size_t l = 0; l < layers; ++l) {
    given[l] = (payload.bytes[kSeedBytes + l / 8] & std::byte(1 << (l % 8))) != std::byte(0);
  }
  return given;
}

// Slices of the layers that a client is not given.
template <class Visit>
void for_others(const std::vector<LayerGroup>& groups, const std::vector<std::uint8_t>& given,
                Visit visit) {
  for (std::size_t l = 0; l < groups.size(); ++l) {
    if (given[l] != 0) continue;
    for (const std::size_t t : groups[l].slices) visit(t);
  }
}
void say_values(SectionId section, const Codec& codec, std::vector<float> values,
                Message& message) {
  State none;
  message.sections.emplace_back(
      section, codec.encode(*flat_layout(values.size()), values, none, Stream(0, "fedp3")));
}
Vector read_values(const Message& message, SectionId section, std::size_t size) {
  Vector v(flat_layout(size));
  const Payload* payload = message.find(section);
  SKIFF_CHECK(payload != nullptr, "no section " + section_name(section));
  dense()->decode(*v.layout, *payload, v.values);
  return v;
}

}  // namespace

std::size_t FedP3Params::layers_of(const Plan& plan) const {
  if (layers == "all") return static_cast<std::size_t>(-1);
  if (layers == "opu-2") return 2;
  if (layers == "opu-3") return 3;
  if (layers == "lower-b") return 1;
  const double s = sparsity_of(plan);
  return s <= 0.45 ? 3 : s <= 0.75 ? 2 : 1;
}

std::vector<std::uint8_t> given_to(const FedP3Params& p, const Composition& c, const Plan& plan,
                                   const std::vector<LayerGroup>& groups, ClientId client) {
  return given_layers(groups.size(), p.layers_of(plan), client, c.clients);
}

std::vector<std::uint8_t> FedP3Wire::whole(std::vector<std::uint8_t> given) const {
  if (p_.head == "personal") given.back() = 0;
  return given;
}

Exchange FedP3Wire::exchange(const Composition& c, const Plan& plan, ClientId client) const {
  const Layout& layout = *c.update_layout(plan);
  const auto groups = layer_groups(layout);
  const auto given = given_to(p_, c, plan, groups, client);
  const auto floats = [&](std::size_t n) { return dense()->bytes(*flat_layout(n)); };
  const Bytes mine = floats(size_of(groups, whole(given)));
  Exchange sizes;
  sizes.down = {{kAssignment, said_layers(0, given).size(), -1}, {kModelSection, mine, -1}};
  const auto prune = pruner(p_.sparsity_of(plan));
  std::size_t others = 0;
  for_others(groups, given, [&](std::size_t t) {
    const Slice& s = layout.slices[t];
    if (!s.is_matrix()) {
      others += s.size();
    } else {
      sizes.down.push_back({pruned_section(t), prune->bytes(*flat_layout(s.size())), -1});
    }
  });
  sizes.down.push_back({kOthers, floats(others), -1});
  sizes.up = {{kUpdateSection, mine, -1}};
  if (p_.head == "personal") sizes.up.push_back({kHead, floats(groups.back().size), -1});
  return sizes;
}

void FedP3Wire::broadcast(const Composition& c, const Server& server, const Plan& plan,
                          ClientId client, Message& message) const {
  const Vector& model = server.models[plan.model].weights;
  const auto groups = layer_groups(*model.layout);
  const auto given = given_to(p_, c, plan, groups, client);
  message.version = server.version;
  message.sections.emplace_back(kAssignment, said_layers(c.seed, given));
  say_values(kModelSection, *dense(), gathered(model, groups, whole(given)).values, message);
  const auto prune = pruner(p_.sparsity_of(plan));
  std::vector<float> others;
  for_others(groups, given, [&](std::size_t t) {
    const Slice& s = model.layout->slices[t];
    const auto values = std::span(model.values).subspan(s.offset, s.size());
    std::vector<float> piece(values.begin(), values.end());
    if (s.is_matrix()) return say_values(pruned_section(t), *prune, std::move(piece), message);
    others.insert(others.end(), piece.begin(), piece.end());
  });
  say_values(kOthers, *dense(), std::move(others), message);
}

std::vector<std::uint8_t> FedP3Wire::given_by(const Message& message, std::size_t layers) const {
  const Payload* payload = message.find(kAssignment);
  SKIFF_CHECK(payload != nullptr, "nobody said which layers are given");
  return read_layers(*payload, layers);
}

Vector FedP3Wire::received(const Composition& c, const Plan& plan, const Message& message) const {
  Vector model(c.update_layout(plan));
  const auto groups = layer_groups(*model.layout);
  const auto given = given_by(message, groups.size());
  const auto mine = whole(given);
  scattered(read_values(message, kModelSection, size_of(groups, mine)), groups, mine, model);
  const auto prune = pruner(p_.sparsity_of(plan));
  std::vector<Slice> small;
  std::size_t size = 0;
  for_others(groups, given, [&](std::size_t t) {
    const Slice& s = model.layout->slices[t];
    if (s.is_matrix()) {
      prune->decode(*flat_layout(s.size()), *message.find(pruned_section(t)),
                    std::span(model.values).subspan(s.offset, s.size()));
    } else {
      small.push_back(s);
      size += s.size();
    }
  });
  const Vector others = read_values(message, kOthers, size);
  auto from = others.values.begin();
  for (const Slice& s : small) {
    std::copy_n(from, s.size(), model.values.begin() + static_cast<std::ptrdiff_t>(s.offset));
    from += static_cast<std::ptrdiff_t>(s.size());
  }
  return model;
}

void FedP3Wire::answer(ClientContext& context, const std::vector<LayerGroup>& groups,
                       const std::vector<std::uint8_t>& given, const Vector& change,
                       const Vector* head) const {
  Vector update = gathered(change, groups, whole(given));
  context.send(kUpdateSection, update, *dense());
  if (head == nullptr) return;
  Vector sent = *head;
  context.send(kHead, sent, *dense());
}

Vector FedP3Wire::answered(const Update& u, const std::vector<LayerGroup>& groups,
                           const std::vector<std::uint8_t>& given, const Vector& model) const {
  Vector change(model.layout);
  const auto mine = whole(given);
  scattered(read_values(u.message, kUpdateSection, size_of(groups, mine)), groups, mine, change);
  if (p_.head != "personal") return change;
  const Vector head = read_values(u.message, kHead, groups.back().size);
  const std::size_t first = model.values.size() - head.values.size();
  for (std::size_t j = 0; j < head.values.size(); ++j) {
    change.values[first + j] = head.values[j] - model.values[first + j];
  }
  return change;
}

}  // namespace skiff
