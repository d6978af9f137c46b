#include "sim/federation/preparer.h"

#include <algorithm>
#include <numeric>

#include "algorithms/calibration.h"
#include "algorithms/kernels/bfloat16.h"
#include "algorithms/prepare.h"
#include "algorithms/stacked_values.h"
#include "sim/federation/learner.h"

namespace skiff {
namespace {

// Null if the server holds no samples.
std::unique_ptr<const Calibration> calibration_of(const FederationSetup& setup, const Plan& plan) {
  const Samples& samples = setup.data->server;
  if (samples.rows() == 0) return nullptr;
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0u);
  return std::make_unique<const Calibration>(setup.composition.architecture(plan), samples,
                                             std::move(rows));
}

Stream stream_of(const FederationSetup& setup, std::size_t plan, std::size_t compressor) {
  return Stream(setup.seed, "prepare", plan).child("compressor", compressor);
}

// What the plan's pruners leave of these weights; null if it has none.
std::shared_ptr<const Model> structure_of(const FederationSetup& setup, std::size_t p,
                                          const Vector& weights) {
  const Plan& plan = setup.composition.plans[p];
  std::shared_ptr<Model> model;
  for (std::size_t i = 0; i < plan.compressors.size(); ++i) {
    const Compressor& compressor = *plan.compressors[i];
    if (!compressor.removes_weights() || plan.when_of(i) != When::kStart) continue;
    if (model == nullptr) model = std::make_shared<Model>(dense_model(weights));
    const auto calibration = calibration_of(setup, plan);
    State none;
    compressor.compress(*model, calibration.get(), none, stream_of(setup, p, i));
  }
  if (model != nullptr) find_kept(*model);
  return model;
}

// What is removed at the start, and holds for the whole run.
bool done_at_start(const Plan& plan, std::size_t compressor) {
  return plan.compressors[compressor]->removes_weights() &&
         plan.when_of(compressor) == When::kStart;
}

// What the compressors up to that moment make of the shape; those whose work is done already are
// left out.
Shape shape_after(const Plan& plan, Shape shape, bool removed, When last = When::kClient) {
  for (std::size_t i = 0; i < plan.compressors.size(); ++i) {
    if ((removed && done_at_start(plan, i)) || plan.when_of(i) > last) continue;
    shape = plan.compressors[i]->shape(shape);
  }
  return shape;
}

void set_shapes(Plan& plan, const Shape& first, bool removed) {
  plan.prepared = shape_after(plan, first, removed);
  if (plan.compresses_on_device()) {
    plan.travels = shape_after(plan, first, removed, When::kDispatch);
  }
  Shape end = dense_shape(first.layout);  // throws where the model has none of the targets
  for (const auto& compressor : plan.at_end) end = compressor->shape(end);
}

// The master keeps what at least one plan's devices hold.
void clear_unheld(const FederationSetup& setup, GlobalModel& model) {
  std::vector<std::uint8_t> held(model.weights.values.size());
  for (const auto& structure : setup.structure) {
    if (structure == nullptr) return;  // these hold everything
    const Coordinates all = full_coordinates(*structure, *model.weights.layout);
    if (structure->kept == nullptr) {
      for (const std::uint32_t i : all) held[i] = 1;
    } else {
      for (const std::uint32_t i : *structure->kept) held[all[i]] = 1;
    }
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i] == 0) model.weights.values[i] = 0;
  }
}

}  // namespace

namespace {

void set_deployed_shapes(FederationSetup& setup) {
  if (setup.deployed == nullptr) return;
  auto charged = std::make_shared<Composition>(*setup.deployed);
  for (Plan& plan : charged->plans) {
    set_shapes(plan, dense_shape(charged->architecture(plan).layout()), false);
  }
  setup.deployed = std::move(charged);
}

}  // namespace

void prepare_shapes(FederationSetup& setup) {
  for (Plan& plan : setup.composition.plans) {
    set_shapes(plan, dense_shape(setup.composition.architecture(plan).layout()), false);
  }
  set_deployed_shapes(setup);
}

void prepare_start(FederationSetup& setup) {
  std::vector<Plan>& plans = setup.composition.plans;
  const bool any =
      std::any_of(plans.begin(), plans.end(), [](const Plan& p) { return p.compresses(); });
  setup.composition.prepare_dense();
  setup.structure.assign(plans.size(), nullptr);
  if (any && !setup.timing_only) {
    Server server = initial_server(setup);
    for (std::size_t p = 0; p < plans.size(); ++p) {
      setup.structure[p] = structure_of(setup, p, server.models[plans[p].model].weights);
    }
    for (GlobalModel& model : server.models) clear_unheld(setup, model);
    setup.start = std::make_shared<const Server>(std::move(server));
  }
  for (std::size_t p = 0; p < plans.size(); ++p) {
    const std::shared_ptr<const Model>& structure = setup.structure[p];
    const Shape whole = dense_shape(setup.composition.architecture(plans[p]).layout());
    set_shapes(plans[p], structure != nullptr ? shape_of(*structure) : whole, structure != nullptr);
  }
  set_deployed_shapes(setup);
}

Preparer::Preparer(const FederationSetup& setup)
    : setup_(setup), kept_(setup.composition.plans.size()) {
  for (std::size_t p = 0; p < kept_.size(); ++p) {
    kept_[p].memory.resize(setup.composition.plans[p].compressors.size());
  }
}

Model Preparer::compressed(const Server& server, std::size_t p, Kept& kept) const {
  const Plan& plan = setup_.composition.plans[p];
  const Vector& master = server.models[plan.model].weights;
  const auto structure = setup_.structure.empty() ? nullptr : setup_.structure[p];
  Model model = structure != nullptr ? like(*structure, master) : dense_model(master);
  for (std::size_t i = 0; i < plan.compressors.size(); ++i) {
    const Compressor& compressor = *plan.compressors[i];
    if (done_at_start(plan, i)) continue;
    std::unique_ptr<const Calibration> calibration;
    if (compressor.uses_calibration()) calibration = calibration_of(setup_, plan);
    compressor.compress(model, calibration.get(), kept.memory[i], stream_of(setup_, p, i));
    if (compressor.removes_weights()) find_kept(model);
  }
  const bool bound = std::any_of(plan.compressors.begin(), plan.compressors.end(),
                                 [](const auto& c) { return c->size_depends_on_data(); });
  const Bytes stored = shape_of(model).stored;
  SKIFF_CHECK(stored == plan.prepared.stored || (bound && stored < plan.prepared.stored),
              "a prepared model is not as large as was declared");
  return model;
}

Model Preparer::at_end(const Server& server, std::size_t p) const {
  const Plan& plan = setup_.composition.plans[p];
  const Vector weights = *predicting(setup_.composition, server, server.models[plan.model]);
  const auto structure = setup_.structure.empty() ? nullptr : setup_.structure[p];
  Model model = structure != nullptr ? like(*structure, weights) : dense_model(weights);
  const auto run = [&](const Compressor& compressor, const Stream& stream) {
    std::unique_ptr<const Calibration> calibration;
    if (compressor.uses_calibration()) calibration = calibration_of(setup_, plan);
    State none;
    compressor.compress(model, calibration.get(), none, stream);
  };
  for (std::size_t i = 0; i < plan.compressors.size(); ++i) {  // removed anew for each version
    if (!plan.compressors[i]->removes_weights() || done_at_start(plan, i)) continue;
    run(*plan.compressors[i], stream_of(setup_, p, i));
  }
  for (std::size_t i = 0; i < plan.at_end.size(); ++i) {
    run(*plan.at_end[i], Stream(setup_.seed, "prepare.end", p).child("compressor", i));
  }
  return model;
}

// The codes of an earlier master and, beside them, what was merged since. A device's buffer in
// bfloat16 is rounded at every merge.
std::shared_ptr<const Model> Preparer::stacked(const Server& server, std::size_t p,
                                               Kept& kept) const {
  const Plan& plan = setup_.composition.plans[p];
  const Vector& master = server.models[plan.model].weights;
  const std::int64_t first = setup_.composition.prepared_at(plan, server.version);
  if (kept.first != first) {
    kept.first = first;
    kept.codes = std::make_shared<const Model>(compressed(server, p, kept));
    kept.master = master;
    kept.added = Vector(master.layout);
    return kept.codes;
  }
  const bool rounds = plan.parametrization->rounds_beside();
  for (std::size_t i = 0; i < master.values.size(); ++i) {
    const float sum = kept.added.values[i] + (master.values[i] - kept.master.values[i]);
    kept.added.values[i] = rounds ? kernels::from_bfloat16(kernels::to_bfloat16(sum)) : sum;
  }
  kept.master = master;
  auto model = std::make_shared<Model>(*kept.codes);
  for (std::size_t t = 0; t < model->tensors.size(); ++t) {
    const Slice& s = model->layout->slices[t];
    const std::span<const float> added(kept.added.values.data() + s.offset, s.size());
    if (std::all_of(added.begin(), added.end(), [](float x) { return x == 0; })) continue;
    std::vector<float> straight(s.size());
    to_row_major(s, added, straight);
    model->tensors[t].values =
        std::make_shared<const StackedValues>(model->tensors[t].values, std::move(straight));
  }
  return model;
}

std::shared_ptr<const Model> Preparer::prepared(const Server& server, std::size_t p) {
  const Plan& plan = setup_.composition.plans[p];
  if (!plan.sends_base()) return nullptr;
  Kept& kept = kept_[p];
  const bool frozen = !plan.parametrization->trains_base();
  const std::int64_t version = frozen ? server.models[plan.model].base_version : server.version;
  if (kept.version != version) {
    const bool lasts = frozen && plan.parametrization->merges() && plan.compresses() &&
                       plan.parametrization->prepared_lasts() > 1;
    kept.model = lasts ? stacked(server, p, kept)
                       : std::make_shared<const Model>(compressed(server, p, kept));
    kept.version = version;
  }
  return kept.model;
}

}  // namespace skiff
