# The guard of one server. Standard input is a pipe from fido: a number is the server's process from now on, a path is a
# folder to remove afterwards. However fido ends, the pipe closes; then the server is stopped, and that is all.
# $1: a part of the server's command line, by which it is recognised. The other arguments: the signals that stop it,
# mildest first.
trap '' HUP INT TERM
sign=$1
shift
signals=$*
set --

pid=0
while IFS= read -r line; do
    case $line in
        /*) set -- "$@" "$line" ;;
        *) pid=$line ;;
    esac
done

runs() {
    if [ -d /proc/self ]; then
        command=$(tr '\0' ' ' <"/proc/$pid/cmdline")
    else
        command=$(ps -ww -o command= -p "$pid")
    fi
    case $command in
        *"$sign"*) return 0 ;;
        *) return 1 ;;
    esac
}

for signal in $signals; do
    runs || break
    kill -s "$signal" "$pid"
    tries=0
    while runs && [ "$tries" -lt 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
done
[ $# -eq 0 ] || rm -rf -- "$@"
