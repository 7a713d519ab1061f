"""As much of libpq as a benchmark needs to ask PostgreSQL what the product asks, at about its cost: prepared statements on one connection."""
import ctypes
import ctypes.util

_library = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for _name, _result, _arguments in [
    ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]), ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
    ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]), ("PQfinish", None, [ctypes.c_void_p]),
    ("PQprepare", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]),
    ("PQexecPrepared", ctypes.c_void_p, [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]),
    ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]), ("PQclear", None, [ctypes.c_void_p]),
    ("PQntuples", ctypes.c_int, [ctypes.c_void_p]), ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
    ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
]:
    _function = getattr(_library, _name)
    _function.restype, _function.argtypes = _result, _arguments

_COMMAND_OK, _TUPLES_OK = 1, 2


class Connection:
    def __init__(self, words):
        self._raw = _library.PQconnectdb(words.encode())
        self._prepared = {}
        if _library.PQstatus(self._raw) != 0:
            raise RuntimeError(self._words())

    def _words(self):
        return _library.PQerrorMessage(self._raw).decode().strip()

    def _checked(self, result):
        if _library.PQresultStatus(result) not in (_COMMAND_OK, _TUPLES_OK):
            words = self._words()
            _library.PQclear(result)
            raise RuntimeError(words)
        return result

    def rows(self, sql, values):
        """Rows of a statement with `$1`, `$2`...: integers, bytes and None; bytes for whatever is not a number."""
        name = self._prepared.get(sql)
        if name is None:
            name = self._prepared[sql] = f"s{len(self._prepared)}".encode()
            _library.PQclear(self._checked(_library.PQprepare(self._raw, name, sql.encode(), 0, None)))
        texts = [b"\\x" + one.hex().encode() if isinstance(one, bytes) else str(one).encode() for one in values]
        given = (ctypes.c_char_p * len(texts))(*texts)
        result = self._checked(_library.PQexecPrepared(self._raw, name, len(texts), given, None, None, 0))
        columns = range(_library.PQnfields(result))
        found = [tuple(self._value(result, row, column) for column in columns) for row in range(_library.PQntuples(result))]
        _library.PQclear(result)
        return found

    @staticmethod
    def _value(result, row, column):
        if _library.PQgetisnull(result, row, column):
            return None
        text = _library.PQgetvalue(result, row, column)
        return bytes.fromhex(text[2:].decode()) if text.startswith(b"\\x") else int(text)

    def close(self):
        _library.PQfinish(self._raw)
