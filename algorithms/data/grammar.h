// A small English grammar with topics: sentences that need no download.
//
//   sentence -> phrase verb-part [place] "."      the verb agrees with the phrase in number
//   phrase   -> determiner [adjective] noun [with phrase] | pronoun
// Nouns, verbs and adjectives come from the sentence's topic (sometimes from any); each speaker has
// favourites: word i of a list is chosen with weight 1 / (1 + rank), ranks by a permutation of the
// speaker's own. A language model thus gains from function words first, then from agreement across
// the inserted phrase, then from the topic, then from knowing the speaker.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/random.h"

namespace skiff::grammar {

inline constexpr int kTopics = 8;
inline constexpr int kWords = 12;  // of each kind and topic

enum class Kind { kNoun, kVerb, kAdjective };
inline constexpr int kKinds = 3;

// Singular nouns, verbs of the third person without their s, adjectives.
const std::array<const char*, kWords>& words(int topic, Kind kind);
const char* topic_name(int topic);

// Immutable once made; thread-safe.
class Speaker {
 public:
  // Topics with weights Dir(alpha); alpha <= 0: all alike.
  Speaker(double alpha, Stream stream);
  int draw_topic(Stream& stream) const;
  // Words between single blanks, lower case, ending in " .".
  std::string sentence(int topic, Stream& stream) const;

 private:
  std::string word(int topic, Kind kind, Stream& stream) const;
  std::string phrase(int topic, bool plural, bool deep, Stream& stream) const;

  std::array<double, kTopics> topics_{};
  std::array<std::array<std::uint8_t, kWords>, kTopics * kKinds> order_{};
};

}  // namespace skiff::grammar
