// The parts of job_file.h that are the same in several places. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/text/value.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// These add nothing for what is empty.
void AddText(const char* key, const std::string& text, Object* object);
void AddTexts(const char* key, const std::map<std::string, std::string>& texts, Object* object);
void AddStrings(const char* key, const std::vector<std::string>& texts, Object* object);
void AddObject(const char* key, Object value, Object* object);
void AddCode(const Code& code, Object* object);

// What a component says of an input or output.
Value DeclaredInput(const Input& input);
Value DeclaredOutput(const Output& output);
// What a node says of one that its component declares; null: nothing.
Value BoundInput(const Input& input);
Value GivenOutput(const Output& output);
// Both in one, as of a job or of a node without a component.
Value WholeInput(const Input& input);
Value WholeOutput(const Output& output);

// All ports of a step in these forms, as `inputs` and `outputs`.
void AddDeclaredPorts(const Step& step, Object* object);
void AddBoundPorts(const Step& step, Object* object);
void AddWholePorts(const std::vector<Input>& inputs,
                   const std::vector<Output>& outputs,
                   Object* object);

// Environment, resources, limits, policies: what is said of how a step runs, but for its compute.
// INTERNAL if the step's environment is not one.
absl::Status AddRunSettings(const Step& step, Object* object);

}  // namespace potok::client
