#![doc = include_str!("../docs/codes.md")]

#[cfg(test)]
mod tests {
    use portcullis_core::Code;

    use crate::rejection::answer::Answer;

    const PAGE: &str = include_str!("../docs/codes.md");

    /// The cells of the table's rows: code with its anchor, status, error, when, client, operator.
    fn rows() -> Vec<Vec<&'static str>> {
        cells(PAGE.split_once("# Codes of services").map_or(PAGE, |(of_credentials, _)| of_credentials))
    }

    fn cells(page: &'static str) -> Vec<Vec<&'static str>> {
        let rows = page.lines().filter(|line| line.starts_with("| <a "));
        rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
    }

    #[cfg(any(feature = "body-limit", feature = "content-digest", feature = "form", feature = "revocation"))]
    #[test]
    fn the_page_has_every_code_of_services_with_its_status() {
        use crate::rejection::ServiceCode;
        let rows = cells(PAGE.split_once("# Codes of services").map_or("", |(_, of_services)| of_services));
        let found: Vec<_> = rows.iter().map(|cells| (cells[0].to_owned(), cells[1].to_owned())).collect();
        let expected: Vec<_> = ServiceCode::ALL
            .iter()
            .map(|code| (format!("<a id=\"{code}\"></a>`{code}`"), code.status().as_u16().to_string()))
            .collect();
        assert_eq!(found, expected);
        for cells in rows {
            assert!(cells.len() == 5 && cells[2..].iter().all(|cell| cell.ends_with('.')), "{cells:?}");
        }
    }

    #[test]
    fn the_page_has_every_code_and_no_other_in_their_order() {
        let anchored = |code: &Code| format!("<a id=\"{code}\"></a>`{code}`");
        let expected: Vec<_> = Code::ALL.iter().map(anchored).collect();
        let found: Vec<_> = rows().iter().map(|cells| cells[0].to_owned()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_row_has_the_status_and_the_error_that_are_sent() {
        for (code, cells) in Code::ALL.iter().zip(rows()) {
            let answer = Answer::to(code.kind());
            let error = answer.error.map_or_else(|| "none".to_owned(), |error| format!("`{error}`"));
            assert_eq!(cells[1..3], [answer.status.as_str(), &error], "{code}");
        }
    }

    #[test]
    fn every_row_says_when_and_what_to_do() {
        for cells in rows() {
            assert_eq!(cells.len(), 6, "{cells:?}");
            assert!(cells[3..].iter().all(|cell| cell.ends_with('.')), "{cells:?}");
        }
    }
}
