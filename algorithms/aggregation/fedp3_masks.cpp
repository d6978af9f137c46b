// FedP3 with share: mask-only, an extension of ours: the weights w stay as they were before the
// first round, and what is learned is which of them count. No weight and no layer goes up.
//
//   server  theta_j in [0, 1]: the share of the clients whose mask kept w_j; 1/2 at first
//   client  scores s = theta + 10^-3 |w| / max |w|;  m = 1 for the floor((1 - sparsity) n) greatest
//           scores of each matrix;  local steps on s with the straight-through gradient
//           df/ds = w . df/d(w m), taken at w m; biases and norms stay
//   up      a bit for each weight of the given layers' matrices (fedp3.cpp), head included
//   server  theta_j <- mean of the bits by Update::weight; what nobody was given stays
//
// Evaluated: w m of the server's theta under the widest plan's sparsity. The optimizer moves scores
// of size one along gradients times small weights: learning rates are larger than for weights.
// Down: theta, float32; w once, kept by the device. State: server "fedp3.theta", float32.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "algorithms/aggregation/fedp3.h"
#include "algorithms/method_steps.h"
#include "algorithms/prepare.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

const SectionId kMask = section_id("mask");

template <class Visit>
void for_given(const Layout& layout, const std::vector<LayerGroup>& groups,
               const std::vector<std::uint8_t>& given, Visit visit) {
  for (std::size_t l = 0; l < groups.size(); ++l) {
    if (given[l] == 0) continue;
    for (const std::size_t t : groups[l].slices) {
      if (layout.slices[t].is_matrix()) visit(layout.slices[t]);
    }
  }
}
std::size_t bits_of(const Layout& layout, const std::vector<LayerGroup>& groups,
                    const std::vector<std::uint8_t>& given) {
  std::size_t n = 0;
  for_given(layout, groups, given, [&](const Slice& s) { n += s.size(); });
  return n;
}
Bytes bytes_of_bits(std::size_t bits) { return Bytes(static_cast<std::int64_t>((bits + 7) / 8)); }

Vector scores_of(const Vector& theta, const Vector& weights) {
  Vector scores = theta;
  for (const Slice& s : weights.layout->slices) {
    float most = 0;
    for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
      most = std::max(most, std::abs(weights.values[j]));
    }
    if (most == 0) continue;
    for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
      scores.values[j] += 1e-3F * std::abs(weights.values[j]) / most;
    }
  }
  return scores;
}

// 1 for the greatest scores of each matrix, the lower index first among equals, and all vectors.
std::vector<std::uint8_t> mask_of(const Vector& scores, double sparsity) {
  std::vector<std::uint8_t> mask(scores.values.size(), 1);
  std::vector<std::uint32_t> order;
  for (const Slice& s : scores.layout->slices) {
    if (!s.is_matrix()) continue;
    const float* at = scores.values.data() + s.offset;
    const auto keep = static_cast<std::size_t>((1 - sparsity) * static_cast<double>(s.size()));
    order.resize(s.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
      return at[a] > at[b] || (at[a] == at[b] && a < b);
    };
    const auto middle = order.begin() + static_cast<std::ptrdiff_t>(keep);
    std::nth_element(order.begin(), middle, order.end(), before);
    for (auto i = middle; i != order.end(); ++i) mask[s.offset + *i] = 0;
  }
  return mask;
}

void mask_weights(const Vector& weights, const std::vector<std::uint8_t>& mask, Vector& out) {
  out = weights;
  for (std::size_t j = 0; j < mask.size(); ++j) out.values[j] *= static_cast<float>(mask[j]);
}

Vector theta_of(const Server& server, const LayoutPtr& layout) {
  State state = server.state;
  Vector theta(layout);
  const auto kept = state.array<float>("fedp3.theta", theta.values.size());
  theta.values.assign(kept.begin(), kept.end());
  return theta;
}

}  // namespace

Vector initial_model(const ClientContext& context) {
  Vector model(context.architecture().layout());
  context.architecture().initialise(
      model, Stream(context.composition().seed, "model.initialise", context.plan().model));
  return model;
}

void MaskSharing::start(const Composition& c, Server& server) const {
  const auto theta = server.state.array<float>("fedp3.theta", c.update_layout(c.global())->size);
  std::fill(theta.begin(), theta.end(), 0.5F);
}

Exchange MaskSharing::exchange(const Composition& c, const Plan& plan, ClientId client) const {
  const LayoutPtr layout = c.update_layout(plan);
  const auto groups = layer_groups(*layout);
  const auto given = given_to(p_, c, plan, groups, client);
  const Bytes floats(static_cast<std::int64_t>(4 * layout->size));
  return {{{kBaseSection, plan.prepared.stored, 0}, {kModelSection, floats, -1}},
          {{kMask, bytes_of_bits(bits_of(*layout, groups, given)), -1}}};
}

void MaskSharing::broadcast(const Composition& c, const Server& server, const Plan& plan,
                            Message& message) const {
  say(c, server, plan, kModelSection, theta_of(server, c.update_layout(plan)), message);
}

Vector MaskSharing::received(const Composition& c, const Plan& plan, const Message& message) const {
  return decode_wire(*plan.down, c, plan, nullptr, c.update_layout(plan),
                     *message.find(kModelSection));
}

void MaskSharing::client(ClientContext& context) const {
  const Composition& c = context.composition();
  const double sparsity = p_.sparsity_of(context.plan());
  const Vector weights = initial_model(context);
  Vector& scores = context.weights().parameters();
  scores.values = scores_of(context.received(), weights).values;
  Vector at;
  for (std::int64_t s = 0; s < context.steps(); ++s) {
    mask_weights(weights, mask_of(scores, sparsity), at);
    context.gradient(s, &at);
    context.step([&](const Slice& slice, std::span<const float>, std::span<float> g) {
      for (std::size_t j = 0; j < g.size(); ++j) {
        g[j] = slice.is_matrix() ? g[j] * weights.values[slice.offset + j] : 0.0F;
      }
    });
  }
  const auto mask = mask_of(scores, sparsity);
  const auto groups = layer_groups(*weights.layout);
  const auto given = given_to(p_, c, context.plan(), groups, context.id());
  std::vector<std::byte> bits((bits_of(*weights.layout, groups, given) + 7) / 8);
  std::size_t bit = 0;
  for_given(*weights.layout, groups, given, [&](const Slice& s) {
    for (std::size_t j = s.offset; j < s.offset + s.size(); ++j, ++bit) {
      if (mask[j] != 0) bits[bit / 8] |= std::byte(1 << (bit % 8));
    }
  });
  context.send_bytes(kMask, {std::move(bits)});
}

Server MaskSharing::aggregate(const Composition& c, const Server& server,
                              std::span<const Update> updates) const {
  Server next = server;
  ++next.version;
  const Layout& layout = *server.models[c.global().model].weights.layout;
  const auto groups = layer_groups(layout);
  std::vector<double> sum(layout.size), total(layout.size);
  for (const Update& u : updates) {
    const auto given = given_to(p_, c, *u.plan, groups, u.client);
    const Payload* payload = u.message.find(kMask);
    SKIFF_CHECK(payload != nullptr, "an update without a mask");
    std::size_t bit = 0;
    for_given(layout, groups, given, [&](const Slice& s) {
      for (std::size_t j = s.offset; j < s.offset + s.size(); ++j, ++bit) {
        const bool kept = (payload->bytes[bit / 8] & std::byte(1 << (bit % 8))) != std::byte(0);
        sum[j] += kept ? u.weight : 0;
        total[j] += u.weight;
      }
    });
  }
  const auto theta = next.state.array<float>("fedp3.theta", layout.size);
  for (std::size_t j = 0; j < theta.size(); ++j) {
    if (total[j] > 0) theta[j] = static_cast<float>(sum[j] / total[j]);
  }
  return next;
}

std::vector<Predictor> MaskSharing::predictors(const Composition& c, const Server& server) const {
  const Plan& plan = c.global();
  const Vector& weights = server.models[plan.model].weights;
  auto masked = std::make_shared<Vector>();
  const Vector scores = scores_of(theta_of(server, weights.layout), weights);
  mask_weights(weights, mask_of(scores, p_.sparsity_of(plan)), *masked);
  return {{"global", plan.model, {std::move(masked)}}};
}

}  // namespace skiff
