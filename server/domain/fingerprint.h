// What determines a step's outputs, as named fields and as one hash of them. Pure.
// Which fields, in which order and bytes: docs/decisions/0032-fingerprint.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/pipeline/spec.h"
#include "server/domain/effect.h"
#include "server/domain/result.h"

namespace potok::server {

// One thing that counts. Two steps of equal fields (names, kinds and values) have equal outputs.
struct FingerprintField {
  enum class Kind {
    kText,    // value is the text
    kFile,    // value is the digest (Digest::Hex), detail the file's name
    kFolder,  // value is the digest of the folder's root
  };
  // "command", "code", "environment", "variable HOME", "input lr", "output model", ...
  std::string name;
  Kind kind = Kind::kText;
  std::string value;
  std::string detail;

  bool operator==(const FingerprintField&) const = default;
};

// The fields of a step whose inputs are known, in the written order. `inputs` are those that have a
// value (ResolveInputs).
std::vector<FingerprintField> FieldsOf(const Step& step, const std::vector<OrderInput>& inputs);

// The hash of exactly FieldsOf.
Fingerprint FingerprintOf(const Step& step, const std::vector<OrderInput>& inputs);

// The first 8 bytes, big-endian: what indexes in memory hold.
std::uint64_t PrefixOf(const Fingerprint& fingerprint);

// Which steps are tries at the same thing: those of one component, or else of one name, whatever
// loop items and pipelines are around it. Explanations look for the nearest earlier result among
// its kin.
std::uint64_t KinOf(const Step& step, const std::string& name);

// Whether a step may take and offer results at all: it is a command (or a parallel step),
// deterministic, and not told otherwise.
bool IsReusable(const Step& step);

// Whether a step that is reusable must run all the same: force_rerun of the pipeline or of itself.
// It offers what it makes, unless the server keeps that back (DecideOptions).
bool IsForced(const PipelineSpec& spec, const Step& step);

// How old a result that it takes may be; infinite: any.
absl::Duration MaxAgeOf(const Step& step);

// Whether its completion writes an explicit destination or registers an asset, so that a result is
// not taken by a decision alone.
bool HasDestinations(const PipelineSpec& spec, const Step& step);

}  // namespace potok::server
