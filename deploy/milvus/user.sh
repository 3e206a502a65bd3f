#!/bin/sh
# Makes the user that opsmend signs in to Milvus with: it may make and use opsmend's one collection, and nothing else.
# Run on every start: what is there already is left alone. A user whose password is another now is made anew.
# https://milvus.io/docs/grant_privileges.md
set -eu

: "${MILVUS_URL:?}" "${MILVUS_ROOT_PASSWORD:?}" "${MILVUS_USER:?}" "${MILVUS_USER_PASSWORD:?}" "${MILVUS_COLLECTION:?}"

for password in "$MILVUS_ROOT_PASSWORD" "$MILVUS_USER_PASSWORD"; do
    case $password in
    *[!A-Za-z0-9._~-]*)
        echo "A password of Milvus has other characters than letters, digits and ._~-; make one with: openssl rand -hex 32" >&2
        exit 1
        ;;
    esac
done

# ask USER:PASSWORD PATH JSON: the answer. Nothing of it stands in the arguments of a process, where others could read it.
ask() {
    curl --config - <<END
url = "$MILVUS_URL/v2/vectordb/$2"
header = "Authorization: Bearer $1"
header = "Content-Type: application/json"
data = "$(printf '%s' "$3" | sed 's/"/\\"/g')"
silent
show-error
max-time = 30
END
}

well() {
    case $(printf '%s' "$1" | tr -d ' ') in
    *'"code":0'[,}]*) ;;
    *) return 1 ;;
    esac
}

# root PATH JSON: done by root, or the end.
root() {
    answer=$(ask "root:$MILVUS_ROOT_PASSWORD" "$1" "$2")
    if ! well "$answer"; then
        echo "Milvus refused $1: $answer" >&2
        exit 1
    fi
}

named() {
    case $(printf '%s' "$answer" | tr -d ' ') in
    *"\"$1\""*) ;;
    *) return 1 ;;
    esac
}

root roles/list '{}'
named "$MILVUS_USER" || root roles/create "{\"roleName\": \"$MILVUS_USER\"}"
for grant in "CollectionReadWrite $MILVUS_COLLECTION" 'CreateCollection *'; do
    root roles/grant_privilege_v2 \
        "{\"roleName\": \"$MILVUS_USER\", \"privilege\": \"${grant% *}\", \"collectionName\": \"${grant#* }\", \"dbName\": \"default\"}"
done

signs_in() {
    answer=$(ask "$MILVUS_USER:$MILVUS_USER_PASSWORD" collections/has "{\"collectionName\": \"$MILVUS_COLLECTION\"}") && well "$answer"
}

root users/list '{}'
if named "$MILVUS_USER" && ! signs_in; then
    root users/drop "{\"userName\": \"$MILVUS_USER\"}"
fi
root users/list '{}'
named "$MILVUS_USER" || root users/create "{\"userName\": \"$MILVUS_USER\", \"password\": \"$MILVUS_USER_PASSWORD\"}"
root users/grant_role "{\"userName\": \"$MILVUS_USER\", \"roleName\": \"$MILVUS_USER\"}"
echo "user $MILVUS_USER of Milvus is ready"
