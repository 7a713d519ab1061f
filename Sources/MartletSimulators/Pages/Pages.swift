import NIOHTTP1

/// The files of the handsets page, held in the program, so that it runs from any directory.
enum Pages {
    static func page(_ path: String) -> Response? {
        switch path {
        case "/": Response(status: .seeOther, type: "text/plain", headers: [("Location", "/handsets")], content: .bytes([]))
        case "/handsets", "/handsets/": file("text/html; charset=utf-8", handsetsPage)
        case "/handsets.css": file("text/css; charset=utf-8", handsetsStyle)
        case "/handsets.js": file("text/javascript; charset=utf-8", handsetsScript)
        case "/martlet-mark.svg": file("image/svg+xml", martletMark)
        case "/chevron.svg": file("image/svg+xml", chevron)
        default: nil
        }
    }

    private static func file(_ type: String, _ text: String) -> Response {
        Response(type: type, content: .bytes(Array(text.utf8)))
    }

    /// The mark's outline in a box of 32 by 32.
    static let markPath =
        "M5.500 9.200c4.600.2 7.700 1.500 9.600 3.700 1.300-3.900 4.200-6.700 9-7.600-1.700 1.900-2.500 3.700-2.700 5.500 1.700.1 3.300.9 4.600 "
        + "2.100l-3.700 1c-.5 5.300-3.800 9.300-9.900 12.100 1.200-2.100 1.800-4 1.800-5.900-4.100-1.500-7.600-5.400-8.700-10.900z"

    private static let martletMark = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b5d69"/><path d="\(markPath)" fill="#fff"/></svg>
        """

    private static let chevron = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="m4 6.300 4 4 4-4" fill="none" stroke="#74828d" \
        stroke-width="1.900" stroke-linecap="round" stroke-linejoin="round"/></svg>
        """
}
