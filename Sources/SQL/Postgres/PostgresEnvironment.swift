import CPostgres
import Glibc

/// Variables of the environment that libpq fills missing parameters from. Where the store is and how it is reached stands in the settings alone: one that
/// would decide a part of it is refused by its name.
enum PostgresEnvironment {
    /// The variables, in libpq's order, that are set and would fill a parameter which is not given.
    /// - Parameters:
    ///   - given: names of the parameters that have a value.
    ///   - environment: value of a variable; nil: it is not set.
    static func deciding(
        beside given: [String], in environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }
    ) -> [String] {
        guard let options = PQconndefaults() else { return [] }
        defer { PQconninfoFree(options) }
        var found: [String] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let variable = option.pointee.envvar.map({ String(cString: $0) }), !given.contains(String(cString: keyword)),
                environment(variable)?.isEmpty == false
            {
                found.append(variable)
            }
            option += 1
        }
        return found
    }
}
