// Gives members of classes names that the build may shorten, even where the browser has a property of that name: TypeScript knows
// who uses them. Classes that stand for an interface or go on from another keep what is not private. What comes of it is checked
// like any code: an object that the page, the server or the storage sees too would no longer be of the type that they expect.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const SUFFIX = '__own';
/** What the names end with. */
export const OWN = `\\w+${SUFFIX}`;

/** The texts of all files of a folder, by path. */
export function withPrivateMembers(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => /\.m?ts$/.test(name)).map((name) => join(folder, name));
  const { config } = ts.readConfigFile(join(folder, '../tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(folder, '..'));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const isOwn = (declared) => {
    if (ts.getCombinedModifierFlags(declared) & ts.ModifierFlags.Private) return true;
    const owner = ts.isParameter(declared) && ts.isParameterPropertyDeclaration(declared, declared.parent) ? declared.parent.parent : declared.parent;
    return owner !== undefined && ts.isClassDeclaration(owner) && !owner.heritageClauses && owner.getSourceFile().fileName.startsWith(folder);
  };
  const isPrivate = (symbol) => symbol?.declarations?.some(isOwn) ?? false;

  /** What an identifier becomes. */
  function renamed(node) {
    const { parent, text } = node;
    const own = text + SUFFIX;
    if (ts.isBindingElement(parent) && parent.name === node && !parent.propertyName && ts.isObjectBindingPattern(parent.parent)) {
      return isPrivate(checker.getTypeAtLocation(parent.parent).getProperty(text)) ? `${own}: ${text}` : text;
    }
    if (ts.isShorthandPropertyAssignment(parent)) return isPrivate(checker.getShorthandAssignmentValueSymbol(parent)) ? `${text}: ${own}` : text;
    return isPrivate(checker.getSymbolAtLocation(node)) ? own : text;
  }

  const made = new Map(
    files.map((path) => {
      const text = readFileSync(path, 'utf8');
      let [written, done] = ['', 0];
      const visit = (node) => {
        if (ts.isIdentifier(node)) {
          written += text.slice(done, node.getStart()) + renamed(node);
          done = node.end;
        }
        ts.forEachChild(node, visit);
      };
      const source = program.getSourceFile(path);
      ts.forEachChild(source, visit);
      return [path, written + text.slice(done)];
    }),
  );
  check(files, options, made, program);
  return made;
}

function check(files, options, made, before) {
  const host = ts.createCompilerHost(options);
  host.getSourceFile = (path, version) => (made.has(path) ? ts.createSourceFile(path, made.get(path), version, true) : before.getSourceFile(path));
  const problems = ts.getPreEmitDiagnostics(ts.createProgram(files, options, host));
  if (problems.length) throw new Error(ts.formatDiagnostics(problems, host));
}
