#include "algorithms/prepare.h"

#include <algorithm>
#include <numeric>

#include "algorithms/masked_values.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

// Of row r and column c, where it lies in the slice.
std::size_t place(const Slice& s, std::size_t r, std::size_t c) {
  return s.order == Order::kInOut ? c * static_cast<std::size_t>(s.rows) + r
                                  : r * static_cast<std::size_t>(s.cols) + c;
}

std::vector<int> units(const std::vector<std::vector<int>>& kept, std::size_t tensor, int count) {
  if (tensor < kept.size() && !kept[tensor].empty()) return kept[tensor];
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// Null, or the coordinates that vectors of that size have on the wire.
const Coordinates* wire_coordinates(const Plan& plan, const Model* prepared, std::size_t size) {
  if (prepared == nullptr || prepared->kept == nullptr || !plan.parametrization->trains_base()) {
    return nullptr;
  }
  return size == prepared->layout->size ? prepared->kept.get() : nullptr;
}

void scatter(std::span<const float> part, const Coordinates& kept, std::span<float> all) {
  std::fill(all.begin(), all.end(), 0.0F);
  for (std::size_t i = 0; i < kept.size(); ++i) all[kept[i]] = part[i];
}

}  // namespace

void find_kept(Model& model) {
  const bool any = std::any_of(model.tensors.begin(), model.tensors.end(),
                               [](const StoredTensor& t) { return masked_values(t) != nullptr; });
  model.kept = nullptr;
  if (!any) return;
  auto kept = std::make_shared<Coordinates>();
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    const Slice& s = model.layout->slices[t];
    const MaskedValues* mask = masked_values(model.tensors[t]);
    const std::size_t begin = kept->size();
    for (std::size_t r = 0; r < static_cast<std::size_t>(s.rows); ++r) {
      for (std::size_t c = 0; c < static_cast<std::size_t>(s.cols); ++c) {
        if (mask != nullptr && !mask->is_kept(r * static_cast<std::size_t>(s.cols) + c)) continue;
        kept->push_back(static_cast<std::uint32_t>(s.offset + place(s, r, c)));
      }
    }
    std::sort(kept->begin() + static_cast<std::ptrdiff_t>(begin), kept->end());
  }
  model.kept = std::move(kept);
}

Coordinates full_coordinates(const Model& model, const Layout& full) {
  Coordinates to(model.layout->size);
  for (std::size_t t = 0; t < full.slices.size(); ++t) {
    const Slice& narrow = model.layout->slices[t];
    const Slice& wide = full.slices[t];
    const std::vector<int> rows = units(model.kept_rows, t, narrow.rows);
    const std::vector<int> cols = units(model.kept_cols, t, narrow.cols);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t c = 0; c < cols.size(); ++c) {
        const std::size_t from = wide.offset + place(wide, static_cast<std::size_t>(rows[r]),
                                                     static_cast<std::size_t>(cols[c]));
        to[narrow.offset + place(narrow, r, c)] = static_cast<std::uint32_t>(from);
      }
    }
  }
  return to;
}

Model like(const Model& first, const Vector& master) {
  Vector narrow(first.layout);
  const Coordinates from = full_coordinates(first, *master.layout);
  for (std::size_t i = 0; i < from.size(); ++i) narrow.values[i] = master.values[from[i]];
  Model model = dense_model(narrow);
  model.kept_rows = first.kept_rows;
  model.kept_cols = first.kept_cols;
  model.kept = first.kept;
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    const MaskedValues* mask = masked_values(first.tensors[t]);
    if (mask == nullptr) continue;
    const std::vector<float> values = model.tensors[t].dense();
    std::vector<std::uint8_t> keep(values.size());
    for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = mask->is_kept(i) ? 1 : 0;
    model.tensors[t] = masked_tensor(first.tensors[t].rows, first.tensors[t].cols, values, keep);
  }
  return model;
}

Vector widened(const Model& model, const LayoutPtr& full) {
  Vector narrow = decoded(model);
  if (model.layout == full) return narrow;
  Vector wide(full);
  const Coordinates to = full_coordinates(model, *full);
  for (std::size_t i = 0; i < to.size(); ++i) wide.values[to[i]] = narrow.values[i];
  return wide;
}

Payload encode_wire(const Codec& codec, const Composition& composition, const Plan& plan,
                    const Model* prepared, Vector& values, State& sender, Stream stream) {
  const Coordinates* kept = wire_coordinates(plan, prepared, values.values.size());
  if (kept == nullptr) return codec.encode(*values.layout, values.values, sender, stream);
  std::vector<float> part(kept->size());
  for (std::size_t i = 0; i < part.size(); ++i) part[i] = values.values[(*kept)[i]];
  Payload payload = codec.encode(*composition.wire_layout(plan), part, sender, stream);
  scatter(part, *kept, values.values);
  return payload;
}

Vector decode_wire(const Codec& codec, const Composition& composition, const Plan& plan,
                   const Model* prepared, const LayoutPtr& layout, const Payload& payload) {
  Vector out(layout);
  const Coordinates* kept = wire_coordinates(plan, prepared, out.values.size());
  if (kept == nullptr) {
    codec.decode(*layout, payload, out.values);
    return out;
  }
  std::vector<float> part(kept->size());
  codec.decode(*composition.wire_layout(plan), payload, part);
  scatter(part, *kept, out.values);
  return out;
}

}  // namespace skiff
