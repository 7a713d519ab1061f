/// What must not lie among the data it protects or proves.
public enum DataDirectory {
    /// Whether `path` lies in `directory` or below it, by whatever link. Neither need exist yet.
    public static func holds(_ path: String, directory: String) -> Bool {
        Paths.contains(Paths.resolved(directory), Paths.resolved(path))
    }
}
