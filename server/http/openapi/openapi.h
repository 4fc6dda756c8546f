// The API as an OpenAPI 3.1 document, made of the descriptors of the protos. Pure.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace potok::server {

// Describes the services' methods as they are called with JSON (POST /potok.v1.Runs/Get), and the
// messages as protobuf writes them in JSON ("JSON Mapping" of the proto3 guide). Comments become
// descriptions. Methods that stream both ways cannot be called over HTTP and are left out. The
// files must have been read with their source information.
std::string OpenApi(const std::vector<const google::protobuf::ServiceDescriptor*>& services,
                    const std::string& version);

}  // namespace potok::server
