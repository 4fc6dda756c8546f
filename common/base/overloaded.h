// The visitor of a std::variant as a list of lambdas.
#pragma once

namespace potok {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;  // clang 14 needs the guide

}  // namespace potok
