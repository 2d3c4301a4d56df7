# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of bash for mailrack and mailrack-mount. What there is is read from --help of the
# program itself, so nothing can be missing here that is there.

_mailrack_help ()
{
    "$@" --help 2> /dev/null
}

# "-f" and "--file" of lines such as "  -f, --file=FILE   ..."
_mailrack_options ()
{
    _mailrack_help "$@" \
        | sed -n 's/^  \(-[^ =,]*\),\{0,1\} \{0,1\}\(--[a-z-]*\)\{0,1\}.*/\1 \2/p'
}

# The first words under "Subcommands".
_mailrack_subcommands ()
{
    _mailrack_help "$1" | sed -n '/^Subcommands/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# "size check clear" of "[size|check|clear]" in the line under "Usage:"
_mailrack_words ()
{
    _mailrack_help "$@" | sed -n '2s/.*\[OPTION…\] //p' | grep -o '[a-z]\{2,\}'
}

# The sections of the configuration file that is named on the line, or of the usual one.
_mailrack_accounts ()
{
    local file=${MAILRACK_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/mailrack/config.ini} i

    for (( i = 1; i < COMP_CWORD; i++ )); do
        case ${COMP_WORDS[i]} in
            -f | --file | -c | --config) file=${COMP_WORDS[i + 1]} ;;
        esac
    done
    sed -n 's/^\[\(.*\)\].*/\1/p' "${file/#\~/$HOME}" 2> /dev/null | grep -vx DEFAULT
}

_mailrack ()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} subcommand='' words
    local -a run

    if [[ $COMP_CWORD -gt 1 ]] && _mailrack_subcommands "$program" | grep -qx -e "${COMP_WORDS[1]}"
    then
        subcommand=${COMP_WORDS[1]}
    fi
    run=("$program" ${subcommand:+"$subcommand"})
    case $previous in
        -f | --file | -c | --config | --script | --trace | --check)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return ;;
        -A | --account)
            words=$(_mailrack_accounts) ;;
        *)
            if [[ $current == -* ]]; then
                words=$(_mailrack_options "${run[@]}")
            elif [[ $COMP_CWORD -eq 1 && $program != *mailrack-mount ]]; then
                words="$(_mailrack_subcommands "$program") $(_mailrack_accounts)"
            else
                words="$(_mailrack_words "${run[@]}") $(_mailrack_accounts)"
            fi ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    if [[ $subcommand == *mount || $program == *mailrack-mount ]] && [[ $current != -* ]]; then
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
    fi
}

complete -o filenames -F _mailrack mailrack mailrack-mount
