#include "algorithms/data/grammar.h"

#include <algorithm>
#include <numeric>

#include "sim/core/distributions.h"

namespace skiff::grammar {
namespace {

using List = std::array<const char*, kWords>;

constexpr const char* kNames[kTopics] = {"kitchen", "garden", "office", "sport",
                                         "music",   "travel", "sea",    "school"};
// By topic: nouns, verbs, adjectives. Regular forms only: plural and third person take an s.
constexpr List kLists[kTopics][kKinds] = {
    {{"cook", "pan", "soup", "onion", "oven", "spoon", "guest", "table", "cake", "recipe", "fork",
      "plate"},
     {"boil", "bake", "stir", "season", "serve", "burn", "peel", "warm", "grill", "steam", "cool",
      "smell"},
     {"hot", "sweet", "salty", "fresh", "spicy", "crisp", "sour", "tender", "raw", "bitter",
      "greasy", "mild"}},
    {{"tree", "rose", "bee", "path", "petal", "seed", "gardener", "fence", "bird", "root", "flower",
      "hedge"},
     {"grow", "bloom", "fade", "climb", "bend", "rest", "spread", "sway", "lean", "sleep", "wake",
      "wilt"},
     {"green", "wild", "tall", "dry", "young", "shady", "thorny", "damp", "bare", "fragrant",
      "slender", "mossy"}},
    {{"clerk", "report", "meeting", "desk", "letter", "manager", "folder", "printer", "deadline",
      "plan", "client", "contract"},
     {"wait", "sign", "print", "follow", "answer", "arrive", "count", "stall", "move", "check",
      "order", "help"},
     {"late", "urgent", "quiet", "busy", "formal", "monthly", "dull", "polite", "secret", "empty",
      "clever", "strict"}},
    {{"runner", "team", "ball", "goal", "fan", "race", "player", "captain", "game", "club",
      "trainer", "league"},
     {"win", "run", "jump", "train", "score", "defend", "sweat", "cheer", "shoot", "sprint", "lose",
      "play"},
     {"fast", "strong", "tired", "proud", "lucky", "fair", "brave", "rough", "local", "famous",
      "slow", "eager"}},
    {{"singer", "song", "drum", "band", "violin", "dancer", "concert", "choir", "guitar", "record",
      "poet", "tune"},
     {"sing", "sound", "dance", "hum", "begin", "end", "swing", "resound", "repeat", "shine",
      "improvise", "listen"},
     {"loud", "soft", "sad", "gentle", "old", "modern", "bright", "strange", "solemn", "jolly",
      "deep", "merry"}},
    {{"train", "ticket", "station", "traveller", "map", "hotel", "road", "suitcase", "guide",
      "bridge", "driver", "border"},
     {"leave", "stop", "turn", "return", "depart", "drive", "wander", "stay", "walk", "ride",
      "enter", "pause"},
     {"long", "foreign", "cheap", "distant", "crowded", "heavy", "narrow", "sunny", "lost",
      "restless", "direct", "northern"}},
    {{"sailor", "boat", "wave", "harbour", "storm", "anchor", "gull", "island", "net", "lighthouse",
      "fisher", "shell"},
     {"sail", "sink", "drift", "float", "dive", "roll", "glitter", "roar", "swim", "land", "row",
      "gleam"},
     {"blue", "cold", "stormy", "pale", "calm", "windy", "grey", "rusty", "wet", "endless",
      "wooden", "silver"}},
    {{"teacher", "pupil", "lesson", "book", "question", "pencil", "test", "chalkboard", "idea",
      "poem", "number", "word"},
     {"read", "learn", "write", "think", "ask", "forget", "explain", "draw", "recite", "smile",
      "whisper", "understand"},
     {"wise", "difficult", "simple", "curious", "lazy", "new", "correct", "noisy", "patient", "shy",
      "serious", "short"}},
};

constexpr double kOwnTopic = 0.9;  // otherwise the word is of any topic

// Where the weights 1 / (1 + rank) put a uniform draw.
int zipf(Stream& stream) {
  static const std::array<double, kWords> sums = [] {
    std::array<double, kWords> s{};
    double total = 0;
    for (int i = 0; i < kWords; ++i) s[static_cast<std::size_t>(i)] = total += 1.0 / (1 + i);
    return s;
  }();
  const double at = stream.uniform() * sums.back();
  int i = 0;
  while (i + 1 < kWords && sums[static_cast<std::size_t>(i)] <= at) ++i;
  return i;
}

template <std::size_t n>
const char* any(const char* const (&list)[n], Stream& stream) {
  return list[stream.below(n)];
}

}  // namespace

const List& words(int topic, Kind kind) { return kLists[topic][static_cast<int>(kind)]; }
const char* topic_name(int topic) { return kNames[topic]; }

Speaker::Speaker(double alpha, Stream stream) {
  topics_.fill(1.0 / kTopics);
  if (alpha > 0) {
    const std::vector<double> drawn = dirichlet(stream, kTopics, alpha);
    std::copy(drawn.begin(), drawn.end(), topics_.begin());
  }
  for (auto& list : order_) {
    std::iota(list.begin(), list.end(), std::uint8_t{0});
    shuffle(stream, std::span<std::uint8_t>(list));
  }
}

int Speaker::draw_topic(Stream& stream) const {
  double at = stream.uniform();
  for (int t = 0; t + 1 < kTopics; ++t) {
    at -= topics_[static_cast<std::size_t>(t)];
    if (at < 0) return t;
  }
  return kTopics - 1;
}

std::string Speaker::word(int topic, Kind kind, Stream& stream) const {
  if (stream.uniform() >= kOwnTopic) topic = static_cast<int>(stream.below(kTopics));
  const auto& order = order_[static_cast<std::size_t>(topic * kKinds + static_cast<int>(kind))];
  return words(topic, kind)[order[static_cast<std::size_t>(zipf(stream))]];
}

std::string Speaker::phrase(int topic, bool plural, bool deep, Stream& stream) const {
  static constexpr const char* kOne[] = {"the", "one", "this", "every", "my"};
  static constexpr const char* kMany[] = {"the", "some", "these", "many", "my"};
  std::string text = plural ? any(kMany, stream) : any(kOne, stream);
  if (stream.uniform() < 0.4) text += " " + word(topic, Kind::kAdjective, stream);
  text += " " + word(topic, Kind::kNoun, stream) + (plural ? "s" : "");
  if (deep && stream.uniform() < 0.3) {  // its number says nothing of the verb's
    static constexpr const char* kNear[] = {"with", "near", "beside", "of"};
    text += std::string(" ") + any(kNear, stream) + " " +
            phrase(topic, stream.below(2) == 1, false, stream);
  }
  return text;
}

std::string Speaker::sentence(int topic, Stream& stream) const {
  static constexpr const char* kHe[] = {"he", "she", "it"};
  static constexpr const char* kThey[] = {"we", "they", "you", "i"};
  const bool plural = stream.below(2) == 1;
  std::string text;
  if (stream.uniform() < 0.25) {
    text = plural ? any(kThey, stream) : any(kHe, stream);
  } else {
    text = phrase(topic, plural, true, stream);
  }
  static constexpr const char* kManner[] = {"never", "often", "always", "slowly", "gladly"};
  if (stream.uniform() < 0.3) text += std::string(" ") + any(kManner, stream);
  text += " " + word(topic, Kind::kVerb, stream) + (plural ? "" : "s");
  if (stream.uniform() < 0.5) {
    static constexpr const char* kWhere[] = {"in", "behind", "under", "for", "before"};
    text += std::string(" ") + any(kWhere, stream) + " " +
            phrase(topic, stream.below(2) == 1, false, stream);
  }
  if (stream.uniform() < 0.25) {
    static constexpr const char* kWhen[] = {"today", "again", "at night", "every morning"};
    text += std::string(" ") + any(kWhen, stream);
  }
  return text + " .";
}

}  // namespace skiff::grammar
