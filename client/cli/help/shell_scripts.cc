#include "client/cli/help/shell_scripts.h"

namespace potok::client {
namespace {

constexpr char kBash[] = R"sh(# bash completion of potok. Load it: source <(potok completion bash)
_potok() {
    local line cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
    [ "$cur" != "=" ] || cur=
    COMPREPLY=()
    while read -r line; do
        case $line in
            :files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur")) ;;
            :folders) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$cur")) ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _potok potok
)sh";

constexpr char kZsh[] = R"sh(#compdef potok
# zsh completion of potok. Load it after compinit: source <(potok completion zsh)
_potok() {
    local line
    local -a candidates
    for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) _files ;;
            :folders) _files -/ ;;
            *) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    (( ! $#candidates )) || _describe potok candidates
}
compdef _potok potok
)sh";

constexpr char kFish[] = R"sh(# fish completion of potok. Load it: potok completion fish | source
function __potok_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :folders
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c potok -f -a '(__potok_complete)'
)sh";

}  // namespace

std::string CompletionScript(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : "";
}

}  // namespace potok::client
