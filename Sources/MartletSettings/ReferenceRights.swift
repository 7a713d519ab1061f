extension Reference {
    /// `docs/reference/rights.md`: what a principal may be allowed, and what the audit knows as acts.
    public static func rights(_ rights: [(word: String, doc: String)], acts: [String]) -> String {
        var page = """
            # Rights and acts

            \(generated)
            A principal has some of these rights, for the whole bank or for one unit. They are given by `martlet principal add` and over the
            [admin API](../guides/admin-api.md); nobody gives one that he has not.

            | right | allows |
            |---|---|

            """
        for right in rights { page += "| `\(right.word)` | \(right.doc) |\n" }
        page += """

            ## Acts

            What an entry of the [audit](audit-format.md) names as `act`:


            """
        for act in acts { page += "- `\(act)`\n" }
        return page
    }
}
