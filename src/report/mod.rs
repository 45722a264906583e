//! Figures -> tables, CSV, Markdown and charts. Renderers return text or bytes and write nothing.
