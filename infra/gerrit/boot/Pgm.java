/** Runs one of Gerrit's programs (Init, Daemon) by its name: the jars hold the programs, but no main class. */
public class Pgm {
  public static void main(String[] args) throws Exception {
    Object program = Class.forName("com.google.gerrit.pgm." + args[0]).getDeclaredConstructor().newInstance();
    String[] rest = java.util.Arrays.copyOfRange(args, 1, args.length);
    System.exit(((com.google.gerrit.pgm.util.AbstractProgram) program).main(rest));
  }
}
