"""Label files of other programs: what comes in is what was there, and goes out as they want it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import astronomaly_widgets as aw
from astronomaly_widgets import export
from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.exchange import export_labels, import_labels, read_labels
from astronomaly_widgets.exchange._labels import FORMATS

IDS = ["007", "587722981733826738", "c d", "é"]


@pytest.fixture
def session():
    features = np.random.default_rng(0).normal(size=(4, 3))
    return aw.Session(features, IDS, anomaly_score=[0, 1.25, 2.5, 5])


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# -- reading ---------------------------------------------------------------------------------------


def test_a_file_of_astronomaly_is_read_and_minus_one_is_no_label(tmp_path):
    path = write(
        tmp_path / "ml_scores.csv",
        ",score,human_label,trained_score",
        "007,4.9,5,1.2",
        "587722981733826738,0.1,-1,0.3",
        "é,0.0,0,",
    )
    assert read_labels(path)["score"].to_dict() == {"007": 5.0, "é": 0.0}


def test_a_file_of_anomalymatch_is_read(tmp_path):
    path = write(
        tmp_path / "labeled_data.csv",
        "filename,label,your_custom_source_id",
        "image1.jpeg,normal,123456",
        "image2.jpeg,anomaly,424242",
        "image3.jpeg,,3",
    )
    assert read_labels(path)["score"].to_dict() == {"image1.jpeg": 0.0, "image2.jpeg": 5.0}


def test_our_own_export_is_read_back_whole(tmp_path, session):
    session.label("007", 2.5, tags=("arc", "blue, faint"), comment='say "hi"')
    session.label("é", 0)
    labels = read_labels(session.export(tmp_path / "labels.csv"))
    assert labels.loc["007"].to_list() == [2.5, ("arc", "blue, faint"), 'say "hi"']
    assert labels.loc["é"].to_list() == [0.0, (), ""]
    assert len(labels) == 2


@pytest.mark.parametrize(
    "columns",
    [{"human_label": [-1, 4, 0, 5]}, {"filename": IDS, "label": ["normal", "anomaly"] * 2}],
    ids=["astronomaly", "anomalymatch"],
)
def test_labels_of_our_own_export_are_not_those_of_its_catalog(tmp_path, columns):
    session = aw.Session(np.eye(4), IDS, catalog=pd.DataFrame(columns, index=IDS))
    session.label("007", 2)
    path = session.export(tmp_path / "labels.csv")
    assert read_labels(path)["score"].to_dict() == {"007": 2.0}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_file_that_went_through_a_spreadsheet_is_read(tmp_path, separator):
    number = "2,5" if separator == ";" else "2.5"
    rows = [
        ["object_id", "score", "tags", "comment"],
        ["007", number, '"arc;blue, faint"', '"two, or; three"'],
        ["é", "", "", ""],
        ["c d", "5", "", ""],
    ]
    lines = [separator.join(row) for row in rows]
    path = write(tmp_path / "labels.csv", "\ufeff" + lines[0] + "\r", *lines[1:])
    labels = read_labels(path)
    assert labels.loc["007"].to_list() == [2.5, ("arc", "blue, faint"), "two, or; three"]
    assert labels["score"].to_dict() == {"007": 2.5, "c d": 5.0}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("a,b", "1,2"), "columns a, b; wanted"),
        ((",human_label", "a,7"), "labels 'a' with 7"),
        ((",human_label", "a,x"), "human_label is not a number"),
        ((",human_label", "a,1", "a,2"), "two rows for 'a'"),
        ((",human_label", ",1"), "1 rows without a name"),
        (("filename,label", "a.png,weird"), "labels 'a.png' as 'weird'; wanted normal or anomaly"),
        (("object_id,score", "a,-1"), "labels 'a' with -1"),
        (("object_id,score", 'a,1,2,"'), "cannot be read as CSV"),
        (("object_id,score", "b, the second,1"), "more fields in a row.*comma in a name"),
    ],
)
def test_what_is_not_a_label_file_is_answered_with_what_is_wrong(tmp_path, lines, message):
    with pytest.raises(SourceError, match=message):
        read_labels(write(tmp_path / "labels.csv", *lines))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no file .*absent\.csv"):
        read_labels(tmp_path / "absent.csv")


# what readers take for a missing value, a separator, a comment or the end of a line
WORDS = ["NA", "N/A", "nan", "None", "null", "-1", "1e5", " a ", "a;b", ";", 'say "hi"', '"', "'"]
WORDS += ["a\nb", "\n", "\x0b", "\u2028", "a,b", "#a", "\ufeffa", "<b>", "\\"]
LETTERS = st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"])  # pandas 2: no NUL
TEXT = st.sampled_from(WORDS) | st.text(LETTERS, max_size=6)
LABELS = st.dictionaries(
    TEXT.filter(bool),
    st.tuples(st.sampled_from([0.0, 2.5, 5.0]), st.lists(TEXT.filter(bool)).map(tuple), TEXT),
    min_size=1,
)


@settings(max_examples=50)
@given(labels=LABELS)
def test_whatever_labels_say_is_read_back(labels, tmp_path_factory):
    columns = ["score", "tags", "comment"]
    table = pd.DataFrame.from_dict(labels, orient="index", columns=columns)
    table["time"] = pd.Timestamp("2026-01-02", tz="UTC")
    read = read_labels(export.write(table, tmp_path_factory.mktemp("labels") / "out.csv"))
    assert read.index.tolist() == list(labels)
    assert [tuple(row) for row in read[columns].to_numpy()] == list(labels.values())


def test_objects_of_any_name_are_found_again_in_every_format(tmp_path):
    features = np.random.default_rng(0).normal(size=(len(WORDS), 3))
    scores = dict(zip(WORDS, 5.0 * (np.arange(len(WORDS)) % 2), strict=True))
    session, *others = (
        aw.Session(features, WORDS, anomaly_score=np.zeros(len(WORDS))) for _ in range(4)
    )
    for score in (0, 5):
        session.label_many([name for name in WORDS if scores[name] == score], score)
    paths = [export_labels(session, tmp_path / f"{name}.csv", name) for name in FORMATS]
    for other, path in zip(others, [session.export(tmp_path / "ours.csv"), *paths], strict=True):
        assert import_labels(other, path).absent == ()
        assert other.labels["score"].to_dict() == scores


def test_a_file_with_several_tags_of_an_earlier_version_is_read(tmp_path):
    path = write(tmp_path / "l.csv", "object_id,score,tags", 'a,1,"arc;say ""hi"";;5"" disc"')
    assert read_labels(path)["tags"].tolist() == [("arc", 'say "hi"', '5" disc')]


# -- importing -------------------------------------------------------------------------------------


def test_imported_labels_are_labels_like_any_other(tmp_path, session):
    path = write(tmp_path / "l.csv", ",score,human_label", "007,1,5", "c d,1,0", "gone,1,2")
    done = import_labels(session, path)
    assert done == (("007", "c d"), (), ("gone",))
    assert session.labels["score"].to_dict() == {"007": 5.0, "c d": 0.0}
    session.undo()
    session.undo()
    assert session.labels.empty


def test_tags_and_comments_come_along(tmp_path, session):
    session.label("é", 4, tags=("ring",), comment="at last")
    other = aw.Session(session.features, IDS, anomaly_score=session.anomaly_score)
    import_labels(other, session.export(tmp_path / "labels.csv"))
    columns = ["score", "tags", "comment"]
    pd.testing.assert_frame_equal(other.labels[columns], session.labels[columns])


def test_what_was_decided_in_the_session_stays_unless_asked(tmp_path, session):
    session.label("007", 3)
    session.label("é", 1)
    session.unlabel("é")
    path = write(tmp_path / "l.csv", ",human_label", "007,5", "c d,0", "é,5")
    done = import_labels(session, path)
    assert done.stored == ("c d",)
    assert done.kept == ("007", "é")
    assert session.labels["score"].to_dict() == {"007": 3.0, "c d": 0.0}
    assert import_labels(session, path).stored == ()
    assert import_labels(session, path, overwrite=True).stored == ("007", "c d", "é")
    assert session.labels["score"].to_dict() == {"007": 5.0, "c d": 0.0, "é": 5.0}


def test_objects_are_found_by_the_name_of_their_file(tmp_path, session):
    path = write(
        tmp_path / "labeled_data.csv",
        "filename,label",
        "train/007.jpeg,anomaly",
        "587722981733826738.fits.gz,normal",
    )
    import_labels(session, path)
    assert session.labels["score"].to_dict() == {"007": 5.0, "587722981733826738": 0.0}


def test_two_files_of_one_object_are_refused_and_nothing_is_stored(tmp_path, session):
    path = write(tmp_path / "l.csv", "filename,label", "007.png,anomaly", "007.jpg,normal")
    with pytest.raises(SourceError, match=r"'007\.png' and '007\.jpg' are both the object '007'"):
        import_labels(session, path)
    assert session.events.empty


# -- exporting -------------------------------------------------------------------------------------


def as_astronomaly_reads_it(path):
    """The call in Astronomaly's pipelines, word for word in meaning: integers or an error."""
    frame = pd.read_csv(path, index_col=0, dtype={"human_label": "int", 0: str})
    frame.index = frame.index.astype(str)
    return frame


def test_astronomaly_reads_what_we_write(tmp_path, session):
    session.label("587722981733826738", 5)
    session.label("c d", 2.5)
    session.label("é", 0)
    frame = as_astronomaly_reads_it(export_labels(session, tmp_path / "m.csv", "astronomaly"))
    assert frame["human_label"].to_list() == [-1, 5, 3, 0]
    assert frame["score"].to_list() == [0, 1.25, 2.5, 5]
    assert frame.index[1:].tolist() == IDS[1:]


def test_labels_survive_the_way_there_and_back(tmp_path, session):
    session.label("007", 5)
    session.label("é", 0)
    path = export_labels(session, tmp_path / "m.csv", "astronomaly")
    other = aw.Session(session.features, IDS, anomaly_score=session.anomaly_score)
    import_labels(other, path)
    assert other.labels["score"].to_dict() == session.labels["score"].to_dict()


def test_anomalymatch_gets_file_names_and_its_two_words(tmp_path):
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for name in "abc":
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(
            tmp_path / "images" / f"{name}.jpeg"
        )
    source = aw.sources.ImageFolder(tmp_path / "images")
    session = aw.Session(np.eye(3), source.object_ids, source=source, anomaly_score=[0, 1, 2])
    session.label("b", 4)
    session.label("a", 3.5)
    path = export_labels(session, tmp_path / "labeled_data.csv", "anomalymatch")
    assert path.read_text() == "filename,label\nb.jpeg,anomaly\na.jpeg,normal\n"
    assert set(pd.read_csv(path)["label"].unique()) <= {"normal", "anomaly"}


def test_without_files_anomalymatch_gets_the_ids(tmp_path, session):
    session.label("c d", 5)
    path = export_labels(session, tmp_path / "labeled_data.csv", "anomalymatch")
    assert path.read_text() == "filename,label\nc d,anomaly\n"


def test_an_existing_file_is_replaced_and_nothing_is_left_beside_it(tmp_path, session):
    for _ in range(2):
        export_labels(session, tmp_path / "m.csv", "astronomaly")
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path, session):
    with pytest.raises(ValueError, match="'zooniverse'; wanted 'astronomaly' or 'anomalymatch'"):
        export_labels(session, tmp_path / "m.csv", "zooniverse")


@pytest.mark.parametrize("name", ["id", "name", "filename", "ObjID"])
def test_scores_are_found_beside_any_name_of_objects(tmp_path, name):
    path = write(tmp_path / "labels.csv", f"{name},score", "007,5", "é,0.5")
    assert read_labels(path)["score"].to_dict() == {"007": 5.0, "é": 0.5}


@pytest.mark.parametrize("suffix", ["fits", "vot", "parquet"])
def test_an_export_that_is_no_text_says_what_is_read(tmp_path, session, suffix):
    path = session.export(tmp_path / f"out.{suffix}")
    with pytest.raises(SourceError, match="no file of text; wanted labels as CSV"):
        read_labels(path)


def test_a_name_that_ends_in_a_number_is_not_that_of_a_file(tmp_path):
    session = aw.Session(np.eye(3), ["12", "12.5", "13"])
    path = write(tmp_path / "labels.csv", "object_id,score", "12.5,5", "12.7,4", "13.png,3")
    assert import_labels(session, path).absent == ("12.7",)
    assert session.labels["score"].to_dict() == {"12.5": 5.0, "13": 3.0}
