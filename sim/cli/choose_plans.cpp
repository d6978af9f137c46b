#include "sim/cli/choose_plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "algorithms/planning/adaptive.h"
#include "sim/cli/assemble_steps.h"
#include "sim/cli/candidate_losses.h"
#include "sim/cli/candidates.h"
#include "sim/cli/layer_bits.h"
#include "sim/federation/assigner.h"
#include "sim/federation/learner.h"
#include "sim/federation/preparer.h"
#include "sim/record/human.h"

namespace skiff {
namespace {

// Prices by plan for every device: costs are worked out once for each number of samples.
class Pricing {
 public:
  explicit Pricing(const FederationSetup& setup)
      : setup_(setup), assigner_(setup), server_(initial_server(setup)) {}

  DeviceLimits limits_of(std::uint32_t device) const { return assigner_.limits_of(device); }
  std::vector<PlanPrice> prices(std::uint32_t device) {
    const std::int64_t samples = setup_.data->samples_of(static_cast<int>(device));
    std::vector<Cost>& costs = costs_[samples];
    if (costs.empty()) {
      for (const Plan& plan : setup_.charged().plans) {
        costs.push_back(assigner_.cost_of(plan, samples, server_));
      }
    }
    const Device d = (*setup_.devices.fleet)[device];
    std::vector<PlanPrice> prices;
    for (const Cost& cost : costs) prices.push_back(assigner_.priced(cost, d));
    return prices;
  }

 private:
  const FederationSetup& setup_;
  Assigner assigner_;
  Server server_;
  std::map<std::int64_t, std::vector<Cost>> costs_;
};

// Of one tier's devices: how many a plan fits, and how long it takes them.
struct Tally {
  std::vector<std::int64_t> fits;
  std::vector<double> seconds;
  std::vector<Bytes> peak;
};

std::size_t best_of(const Tally& tally, const std::vector<double>& losses) {
  const auto rank = [&](std::size_t p) {
    return std::tuple(-tally.fits[p], tally.fits[p] > 0 ? losses[p] : 0.0,
                      tally.fits[p] > 0 ? tally.seconds[p] : 0.0, tally.peak[p], p);
  };
  std::size_t best = 0;
  for (std::size_t p = 1; p < losses.size(); ++p) {
    if (rank(p) < rank(best)) best = p;
  }
  return best;
}

struct Picked {
  std::vector<std::size_t> plans;    // that somebody uses
  std::vector<std::size_t> by_tier;  // a candidate for each tier
};

Picked pick(const FederationSetup& setup, const std::vector<double>& losses,
            const Adaptive& planner) {
  Pricing pricing(setup);
  const std::size_t tiers = std::max<std::size_t>(1, setup.devices.tiers.size());
  const Tally none{std::vector<std::int64_t>(losses.size()), std::vector<double>(losses.size()),
                   std::vector<Bytes>(losses.size())};
  std::vector<Tally> tallies(tiers, none);
  std::vector<std::map<std::size_t, int>> users(tiers);  // per: device
  for (std::uint32_t i = 0; i < setup.devices.fleet->size(); ++i) {
    const DeviceLimits limits = pricing.limits_of(i);
    if (limits.tier < 0) continue;
    const auto t = static_cast<std::size_t>(limits.tier);
    const std::vector<PlanPrice> prices = pricing.prices(i);
    for (std::size_t p = 0; p < prices.size(); ++p) {
      tallies[t].peak[p] = std::max(tallies[t].peak[p], prices[p].peak());
      if (!choose_if_fits(limits, prices, p, planner.params().limits).plan) continue;
      ++tallies[t].fits[p];
      tallies[t].seconds[p] += prices[p].time.value();
    }
    ++users[t][best_plan(limits, prices, losses, planner.params().limits).considered];
  }
  Picked picked;
  std::set<std::size_t> used;
  for (std::size_t t = 0; t < tiers; ++t) {
    std::size_t plan = best_of(tallies[t], losses);
    if (!planner.per_tier() && !users[t].empty()) {
      for (const auto& [candidate, count] : users[t]) used.insert(candidate);
      plan = std::max_element(users[t].begin(), users[t].end(), [](const auto& a, const auto& b) {
               return a.second < b.second;
             })->first;
    }
    used.insert(plan);
    picked.by_tier.push_back(plan);
  }
  picked.plans.assign(used.begin(), used.end());
  return picked;
}

// Keeps the plans of these indices, in this order.
void keep_plans(Composition& c, const std::vector<std::size_t>& which) {
  std::vector<Plan> kept;
  for (const std::size_t p : which) kept.push_back(c.plans[p]);
  c.plans = std::move(kept);
}

// What devices would hold, less than the limit, by plan.
std::vector<std::size_t> small_enough(const Scenario& s, const FederationSetup& setup) {
  std::vector<std::size_t> fine;
  Bytes least;
  for (std::size_t p = 0; p < setup.charged().plans.size(); ++p) {
    const Bytes held = setup.charged().plans[p].prepared.stored;
    least = p == 0 ? held : std::min(least, held);
    if (!s.compression.target_size || held <= *s.compression.target_size) fine.push_back(p);
  }
  if (fine.empty()) {
    refuse(s, "compression.target_size",
           fmt::format("the smallest of the planner's models takes {}", human(least)));
  }
  return fine;
}

}  // namespace

void choose_plans(const Scenario& s, FederationSetup& setup) {
  const auto planner = std::dynamic_pointer_cast<const Adaptive>(setup.planner);
  SKIFF_CHECK(planner != nullptr, "a planner of choices that is not adaptive");
  const char* key = s.compression.quantization ? "compression.quantization" : "compression.pruning";
  at_key(s, key, [&] { prepare_shapes(setup); });
  const std::vector<Node> rows = candidate_rows(s);
  CandidateLosses predicted(s, setup, planner->params(), rows);
  std::vector<std::optional<double>> by_layer(rows.size());
  if (planner->params().per_layer) {
    by_layer = spend_by_layer(s, setup, rows, predicted);
    prepare_shapes(setup);
  }
  const auto keep = [&](const std::vector<std::size_t>& which) {
    keep_plans(setup.composition, which);
    if (setup.deployed == nullptr) return;
    auto charged = std::make_shared<Composition>(*setup.deployed);
    keep_plans(*charged, which);
    setup.deployed = std::move(charged);
  };
  const std::vector<std::size_t> fine = small_enough(s, setup);
  std::vector<double> losses;
  for (const std::size_t p : fine) {
    losses.push_back(predicted.of(rows[p], setup.composition.plans[p], by_layer[p]));
  }
  keep(fine);
  Picked picked = pick(setup, losses, *planner);
  const Composition& c = setup.composition;
  // The server's own plan is the widest: most to train, then most to hold.
  std::stable_sort(picked.plans.begin(), picked.plans.end(), [&](std::size_t a, std::size_t b) {
    const auto width = [&](std::size_t p) {
      return std::pair(c.update_layout(c.plans[p])->size, c.plans[p].prepared.stored);
    };
    return width(a) > width(b);
  });
  std::vector<double> kept;
  for (const std::size_t p : picked.plans) kept.push_back(losses[p]);
  for (std::size_t& p : picked.by_tier) {
    const auto at = std::find(picked.plans.begin(), picked.plans.end(), p);
    p = static_cast<std::size_t>(at - picked.plans.begin());
  }
  keep(picked.plans);
  setup.planner =
      std::make_shared<const Adaptive>(planner->params(), std::move(kept), picked.by_tier);
}

void check_target_size(const Scenario& s, const FederationSetup& setup) {
  if (!s.compression.target_size) return;
  for (const Plan& plan : setup.charged().plans) {
    if (plan.prepared.stored <= *s.compression.target_size) continue;
    refuse(
        s, "compression.target_size",
        fmt::format("the model of plan \"{}\" takes {}", plan.name, human(plan.prepared.stored)));
  }
}

}  // namespace skiff
