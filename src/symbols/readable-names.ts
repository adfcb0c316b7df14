/**
 * What a reader of a report wants of a demangled name, as pprof shortens it: no parameters, no template arguments, no
 * mark of what the compiler cloned. `std::vector<int, std::allocator<int> >::reserve(unsigned long)` is
 * `std::vector::reserve`.
 */
export function shortCppName(demangled: string): string {
  let name = demangled.replace(/ \[clone [^\]]*\]/g, "");
  // What a virtual call goes through first.
  name = /^\{virtual (?:override )?thunk\(.*?, (.*)\)\}$/.exec(name)?.[1] ?? name;
  const short = withoutTemplates(withoutParameters(name)).trim();
  return short === "" ? demangled : short;
}

/** A symbol without the version that it is exported with, or the mark of a clone: `memcpy@@GLIBC_2.14`, `f.part.0`. */
export function plainSymbol(symbol: string): string {
  const plain = symbol.replace(/@.*$/s, "").replace(/(?:\.(?:cold|part|constprop|isra|lto_priv|llvm)(?:\.\d+)*)+$/, "");
  return plain === "" ? symbol : plain;
}

function withoutParameters(name: string): string {
  const end = name.replace(/(?: (?:const|volatile)| ?&{1,2})+$/, "");
  if (!end.endsWith(")")) return end;
  let depth = 0;
  for (let i = end.length - 1; i > 0; i--) {
    if (end[i] === ")") depth++;
    if (end[i] === "(" && --depth === 0) {
      const before = end.slice(0, i);
      return before.endsWith("operator") ? end : before;
    }
  }
  return end;
}

const OPERATOR = /operator\s*(?:<=>|<<=|>>=|->\*|->|<<|>>|<=|>=|<|>)/y;
const IDENTIFIER = /[\w$\])]/;

function withoutTemplates(name: string): string {
  let short = "";
  let depth = 0;
  for (let i = 0; i < name.length; i++) {
    OPERATOR.lastIndex = i;
    const operator = i > 0 && IDENTIFIER.test(name[i - 1] as string) ? null : OPERATOR.exec(name);
    if (operator !== null) {
      if (depth === 0) short += operator[0];
      i += operator[0].length - 1;
      // Its own arguments stand behind a space.
      if (name[i + 1] === " " && name[i + 2] === "<") i++;
      if (name[i + 1] === "<") {
        depth++;
        i++;
      }
    } else if (name[i] === "<") {
      depth++;
    } else if (name[i] === ">" && name[i - 1] !== "-") {
      if (--depth < 0) return name;
    } else if (depth === 0) {
      short += name[i];
    }
  }
  return depth === 0 ? short : name;
}
