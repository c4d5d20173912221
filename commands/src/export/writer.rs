//! A JSON object of which nobody ever holds the whole: members and items of lists are written as
//! they come.

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::ExportError;
use fido_domain::private::ERASED;

/// Where the pieces go.
pub(super) type Pieces = mpsc::Sender<Result<String, ExportError>>;

/// Writes one object.
pub(super) struct Writer {
    pieces: Pieces,
    /// Whether nothing has been written yet where something is written next.
    is_first: bool,
}

impl Writer {
    pub(super) fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            is_first: true,
        }
    }

    pub(super) async fn begin(&mut self) -> Result<(), ExportError> {
        self.put("{".to_owned()).await
    }

    pub(super) async fn member(
        &mut self,
        name: &str,
        value: &(impl Serialize + Sync),
    ) -> Result<(), ExportError> {
        let text = format!("{}\"{name}\":{}", self.comma(), shown(value)?);
        self.put(text).await
    }

    pub(super) async fn begin_list(&mut self, name: &str) -> Result<(), ExportError> {
        let text = format!("{}\"{name}\":[", self.comma());
        self.is_first = true;
        self.put(text).await
    }

    pub(super) async fn item(
        &mut self,
        value: &(impl Serialize + Sync),
    ) -> Result<(), ExportError> {
        let text = format!("{}{}", self.comma(), shown(value)?);
        self.put(text).await
    }

    pub(super) async fn end_list(&mut self) -> Result<(), ExportError> {
        self.is_first = false;
        self.put("]".to_owned()).await
    }

    pub(super) async fn end(&mut self) -> Result<(), ExportError> {
        self.put("}\n".to_owned()).await
    }

    fn comma(&mut self) -> &'static str {
        let separator = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        separator
    }

    async fn put(&mut self, piece: String) -> Result<(), ExportError> {
        let sent = self.pieces.send(Ok(piece)).await;
        sent.map_err(|_| ExportError::Abandoned)
    }
}

/// As JSON, private content as its owner is shown it.
fn shown(value: &(impl Serialize + Sync)) -> Result<String, ExportError> {
    let mut value = serde_json::to_value(value)?;
    open(&mut value);
    Ok(value.to_string())
}

/// Puts content in the place of the form in which it is opened; what is left of erased content says so.
fn open(value: &mut Value) {
    if let Value::Object(object) = value {
        if object.len() == 1 {
            if let Some(content) = object.remove("open") {
                *value = content;
                return;
            }
            if object.contains_key("erased") {
                *value = ERASED.into();
                return;
            }
        }
        object.values_mut().for_each(open);
    } else if let Value::Array(array) = value {
        array.iter_mut().for_each(open);
    }
}

#[cfg(test)]
mod tests {
    use fido_domain::Private;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_pieces_are_one_document_with_content_opened() {
        let (pieces, mut read) = mpsc::channel(100);
        let mut out = Writer::new(pieces);
        out.begin().await.unwrap();
        out.member("name", &Private::new("Ada".to_owned()))
            .await
            .unwrap();
        out.begin_list("empty").await.unwrap();
        out.end_list().await.unwrap();
        out.begin_list("list").await.unwrap();
        for item in [Private::new("a \"b\"".to_owned()), Private::Erased] {
            out.item(&json!({"deep": [item]})).await.unwrap();
        }
        out.end_list().await.unwrap();
        out.member("last", &1).await.unwrap();
        out.end().await.unwrap();
        drop(out);
        let mut text = String::new();
        while let Some(piece) = read.recv().await {
            text += &piece.unwrap();
        }
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            document,
            json!({
                "name": "Ada",
                "empty": [],
                "list": [{"deep": ["a \"b\""]}, {"deep": ["[erased]"]}],
                "last": 1,
            })
        );
    }

    #[tokio::test]
    async fn without_a_reader_it_ends() {
        let (pieces, read) = mpsc::channel(1);
        drop(read);
        let begun = Writer::new(pieces).begin().await;
        assert!(matches!(begun, Err(ExportError::Abandoned)));
    }
}
